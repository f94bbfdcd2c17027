/* What is built into MQTTCodec and MQTTClient. Swift sees the macro as a constant, so that what it excludes is not
   in the program. */
#ifndef CMQTT_H
#define CMQTT_H

/* 1: 5.0 and 3.1.1; 0: 3.1.1 only (-Xcc -DSWIFTLET_MQTT_5=0, which `scripts/cross --mqtt 3.1.1` says).
   Swift does not see a macro of the command line itself. */
#if !defined SWIFTLET_MQTT_5 || SWIFTLET_MQTT_5
#define CMQTT_HAS_5 1
#else
#define CMQTT_HAS_5 0
#endif

#endif
