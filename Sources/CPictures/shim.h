#pragma once
#include "png_shim.h"
#include "jpeg_shim.h"
