"""An upgrade never stops or restarts the primary of the database while it serves."""

import unittest

import yaml
from inventories import ANSIBLE


def read(place):
    return yaml.safe_load((ANSIBLE / place).read_text(encoding="utf-8"))


def role_files(tasks):
    """Role and file of each `import_role` among tasks."""
    return [(each["name"], each.get("tasks_from", "main.yml")) for task in tasks if (each := task.get("ansible.builtin.import_role"))]


class Primary(unittest.TestCase):
    def test_whatever_restarts_patroni_is_asked_about_beforehand(self):
        restarting = [task for task in read("roles/database/tasks/configure.yml") + read("roles/database/tasks/install.yml") if "Restart Patroni" in str(task.get("notify"))]
        self.assertEqual([task["kinora_files"]["files"] for task in restarting], ["{{ _database_unit_files }}"])
        asked = read("roles/database/tasks/restarts.yml")[0]
        self.assertEqual(asked["kinora_files"]["files"], "{{ _database_unit_files }}")
        self.assertTrue(asked["check_mode"])

    def test_the_role_is_handed_over_before_its_host_is_come_to(self):
        plays = read("playbooks/upgrade-databases.yml")
        names = [play["name"] for play in plays]
        asking = plays[names.index("What the databases have")]["tasks"]
        self.assertIn(("database", "restarts.yml"), role_files(asking))
        self.assertIn("database_restarts", str(asking[-1]))
        order = ["What the databases have", "Database, standbys", "Hand the primary's role over", "Database, who was primary"]
        self.assertEqual(sorted(order, key=names.index), order)

    def test_no_verb_comes_to_the_databases_another_way_before(self):
        for verb in ("upgrade", "rollback"):
            plays = read(f"playbooks/{verb}.yml")
            ways = [str(play) for play in plays if "'role': 'database'" in str(play) or "site.yml" in str(play) or "upgrade-databases.yml" in str(play)]
            self.assertIn("upgrade-databases.yml", ways[0], verb)

    def test_who_would_be_restarted_is_stopped_after_no_commit_waits_for_it(self):
        tasks = read("playbooks/tasks/upgrade-database.yml")
        self.assertIn(("database", "restarts.yml"), role_files(tasks))
        (stop,) = [task for task in tasks if "block" in task]
        self.assertIn("database_restarts", stop["when"])


if __name__ == "__main__":
    unittest.main()
