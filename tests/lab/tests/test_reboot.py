"""What is read from the page that the verb `status` prints."""

import unittest

from measures.reboot import told

UNWELL = """
TASK [Kinora] ******************
ok: [lb1] =>
    msg: |-
        Kinora 1.0.0-1 at https://kinora.test: 2 to look at

          app1  / is 91 % full
                → du -xh / | sort -h | tail
          fleet  2 databases accept writes
                → patronictl list

        HOST  ROLES        UNITS  DISK
        app1  application  5/5    91 %
PLAY RECAP *********************
app1  : ok=3
"""
WELL = """
    msg: |-
        Kinora 1.0.0-1 at https://kinora.test: all 11 hosts are well

        HOST  ROLES        UNITS  DISK
"""


class Told(unittest.TestCase):
    def test_what_is_to_look_at_is_told_without_the_table_and_the_recap(self) -> None:
        self.assertEqual(told(UNWELL)[0], "Kinora 1.0.0-1 at https://kinora.test: 2 to look at")
        self.assertEqual(told(UNWELL)[1], "app1  / is 91 % full")
        self.assertEqual(len(told(UNWELL)), 5)

    def test_a_healthy_fleet_is_its_title(self) -> None:
        self.assertEqual(told(WELL), ["Kinora 1.0.0-1 at https://kinora.test: all 11 hosts are well"])

    def test_a_page_that_was_not_printed_is_nothing(self) -> None:
        self.assertEqual(told("PLAY RECAP\napp1 : unreachable=1"), [])


if __name__ == "__main__":
    unittest.main()
