"""A stand-in for Kaggle's client, as the module `kaggle`: it hands over a small data set, to whom has the token."""

import os
import sys
import zipfile
from pathlib import Path


def main() -> None:
    arguments = sys.argv[1:]
    if os.environ.get("KAGGLE_API_TOKEN") != "a token":
        sys.exit("401 - Unauthorized")
    competition, out = arguments[arguments.index("-c") + 1], Path(arguments[arguments.index("-p") + 1])
    with zipfile.ZipFile(out / f"{competition}.zip", "w") as archive:
        for path in sorted(Path(os.environ["WALK_DATA"]).glob("*_*.parquet")):
            archive.write(path, path.name)
        archive.write(Path(os.environ["WALK_DATA"]) / "bureau.parquet", "bureau.parquet")


if __name__ == "__main__":
    main()
