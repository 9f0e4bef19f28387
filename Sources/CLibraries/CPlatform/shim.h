#pragma once
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/utsname.h>
