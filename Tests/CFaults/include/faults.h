// Nothing is called from outside: in a program that this library is preloaded into it takes the place of functions of the C library.
#pragma once
