"""Built by colcon."""

from setuptools import setup

setup(
    name="eatrack_ros",
    version="0.1.0",
    packages=["eatrack_ros"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/eatrack_ros"]),
        ("share/eatrack_ros", ["package.xml"]),
    ],
    install_requires=["setuptools", "eatrack-edge"],
    entry_points={"console_scripts": ["tracker = eatrack_ros.node:main"]},
)
