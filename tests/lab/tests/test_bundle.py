"""`make lab` builds no bundle where that of this tree lies already."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import install
from lab.paths import PROJECT
from lab.progress import Progress


class Kept(unittest.TestCase):
    def test_the_bundle_of_this_tree_is_taken_again_whole_or_not_at_all(self) -> None:
        version = subprocess.run([PROJECT / "packaging/version"], capture_output=True, text=True, check=True).stdout.strip()
        with tempfile.TemporaryDirectory() as target, mock.patch.dict(os.environ, CARGO_TARGET_DIR=target), mock.patch.object(install, "_build") as build:
            directory = Path(target) / "bundle"
            directory.mkdir()
            (directory / "allowed_signers").touch()
            (directory / "kinora-0.0.1.tar").touch()
            (directory / "kinora-0.0.1.tar.sig").touch()
            tar = directory / f"kinora-{version}.tar"
            tar.touch()
            self.assertIs(install.obtain(None, Progress()), build.return_value, "it has no signature")
            build.reset_mock()
            tar.with_name(f"{tar.name}.sig").touch()
            self.assertEqual(install.obtain(None, Progress()).tar, tar)
            build.assert_not_called()
