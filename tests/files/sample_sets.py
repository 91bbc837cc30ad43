"""The sample recordings by what becomes of them."""

READ_BY_NEO = {
    "abf1-187sweeps-tags": "AxonIO",
    "abf1-6sweeps": "AxonIO",
    "abf1-nodate": "AxonIO",
    "abf2-16ch-4units": "AxonIO",
    "abf2-60sweeps-tag": "AxonIO",
    "abf2-atf-pair": "AxonIO",
    "abf2-gapfree-tag": "AxonIO",
    "abf2-ic-ramp": "AxonIO",
    "abf2-odd-rate": "AxonIO",
    "abf2-varlen": "AxonIO",
    "ascii-column": "AsciiSignalIO",
    "axograph-digitized": "AxographIO",
    "axograph-x": "AxographIO",
    "blackrock-nev": "BlackrockIO",
    "blackrock-ns2": "BlackrockIO",
    "brainvision-units": "BrainVisionIO",
    "edf-139ch": "EDFIO",
    "edf-uneven": "EDFIO",
    "edf-utf8": "EDFIO",
    "intan-rhd": "IntanIO",
    "neuralynx-events": "NeuralynxIO",
    "nwb-currentclamp": "NWBIO",
    "nwb-ttl": "NWBIO",
    "openephys-binary": "OpenEphysBinaryIO",
    "spike2-units": "Spike2IO",
}
# What neo by itself refuses, gives as nothing, or with other samples.
READ_BY_OTHERS = {
    "bdf-4ch": "EDFIO",
    "brainvision-latin1": "BrainVisionIO",
    "nix-not-neo": "nixio",
    "nwb-electricalseries": "pynwb",
    "wfdb-mitbih-100": "wfdb",
}
# As a folder; its one file is read.
UNREADABLE = {"neuralynx-ncs": "Neuraview version 2"}
METADATA = (
    "odml-v1-eeg",
    "odml-v1-json",
    "odml-v1-large",
    "odml-v1-relacs",
    "odml-v11-blackrock",
    "odml-v11-eeg",
    "odml-v11-json",
    "odml-v11-terminologies",
    "odml-v11-tutorial",
    "odml-v11-yaml",
)
# No figures of the odml library, which does not read tables.
TABLES = ("odmltables-csv",)
