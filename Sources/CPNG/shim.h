#pragma once
#include <stdlib.h>
#include <string.h>
#include <png.h>
