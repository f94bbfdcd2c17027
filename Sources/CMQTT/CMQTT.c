#include "CMQTT.h"
