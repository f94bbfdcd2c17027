"""Lines and buses that cannot be used: what the program says, and that it comes back by itself."""

import os

from kernel.hardware import Chip, SHT3x

NOBODY = 65534
# sysexits.h: what is needed is not there; the service manager starts the program again
UNAVAILABLE = 69


def refuses_to_start(bench, modules, *words, user=None):
    """The program ends with the documented status and a text that has these words."""
    with bench.runtime(modules, user=user) as runtime:
        status = runtime.wait_exit()
        assert status == UNAVAILABLE, f"exit status {status}"
        assert all(word in runtime.log for word in words), f"{runtime.log!r} without {words}"
        assert not runtime.messages("availability"), "it was online"


def a_line_held_by_another_program_is_named_with_its_holder(bench):
    held, other = bench.chip["RELAY1"], bench.chip["RELAY2"]
    other.drive(1)
    modules = """
        - relay: pump
          line: RELAY2
          safety: { start: on }
        - relay: fan
          line: RELAY1
    """
    with held.hold("heating-control"):
        levels = bench.levels.mark()
        refuses_to_start(bench, modules, "'fan'", "RELAY1", "'heating-control'", "stop that program")
        assert held.consumer == "heating-control"
        assert 0 not in [level.value for level in bench.levels.of(other, levels)], "the pump stopped"
    with bench.runtime(modules) as runtime:
        runtime.wait_online()
        # Both relays are outputs of one chip, so they are one request.
        assert held.consumer == "swiftletd pump,fan", held.consumer


def a_chip_that_is_not_there_is_named(bench):
    refuses_to_start(bench, """
        - relay: fan
          line: GHOST1
    """, "'fan'", "GHOST1", "'swiftlet-ghost'", "gpiodetect")


def a_line_that_the_chip_does_not_have_is_named(bench):
    refuses_to_start(bench, """
        - button: door
          line: GHOST2
    """, "'door'", "GHOST2", "'swiftlet-test'", "gpioinfo")


def lines_that_may_not_be_opened_name_the_group(bench):
    os.chmod(f"/dev/{bench.chip.node}", 0o660)
    refuses_to_start(bench, """
        - relay: fan
          line: RELAY1
    """, "'fan'", "group gpio", user=NOBODY)


def a_chip_that_is_pulled_out_is_an_error_and_the_others_work_on(bench):
    """Linux 6.1 does not tell those who wait for edges of the chip's inputs: a relay is what notices."""
    spare = Chip("swiftlet-spare", ["SPARE1"])
    line = bench.chip["RELAY1"]
    with bench.runtime("""
        - relay: lamp
          line: SPARE1
        - relay: fan
          line: RELAY1
    """) as runtime:
        runtime.wait_online()
        runtime.command("lamp", "ON")
        bench.levels.wait(spare["SPARE1"], 1)
        since, levels = bench.observer.mark(), bench.levels.mark()
        spare.unplug()
        runtime.command("lamp", "OFF")
        assert runtime.wait_result("lamp", "OFF", since)["result"] == "rejected"
        runtime.wait_error("lamp", "gone", since=since)
        levels = bench.levels.mark()
        runtime.command("fan", "ON")
        bench.levels.wait(line, 1, levels)


def a_bus_that_may_not_be_opened_names_the_group(bench):
    """An ordinary user without the group i2c. The relay works, and the sensor does once it may."""
    os.chmod("/dev/i2c-0", 0o660)
    os.chmod(f"/dev/{bench.chip.node}", 0o666)
    with SHT3x() as chip, bench.runtime("""
        - sensor: air
          driver: SHT3x
          bus: i2c-0
          every: 200ms
        - relay: fan
          line: RELAY1
    """, user=NOBODY) as runtime:
        chip.measure(20, 50)
        runtime.wait_error("air", "/dev/i2c-0", "group i2c")
        levels = bench.levels.mark()
        runtime.command("fan", "ON")
        bench.levels.wait(bench.chip["RELAY1"], 1, levels)
        since = bench.observer.mark()
        os.chmod("/dev/i2c-0", 0o666)
        runtime.wait("air/temperature", "20.00", since)
        runtime.wait_well("air", since)


def a_bus_that_is_not_there_names_what_enables_it(bench):
    with bench.runtime("""
        - sensor: air
          driver: SHT3x
          bus: i2c-9
    """) as runtime:
        runtime.wait_error("air", "/dev/i2c-9", "dtparam=kernel_test=on")


SCENARIOS = [
    a_line_held_by_another_program_is_named_with_its_holder,
    a_chip_that_is_not_there_is_named,
    a_line_that_the_chip_does_not_have_is_named,
    lines_that_may_not_be_opened_name_the_group,
    a_chip_that_is_pulled_out_is_an_error_and_the_others_work_on,
    a_bus_that_may_not_be_opened_names_the_group,
    a_bus_that_is_not_there_names_what_enables_it,
]
