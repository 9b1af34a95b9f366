//! The word lists themselves: files that never change, compiled in, each with its SHA-256.
//!
//! A change is a new file with the next version; old versions stay, so that nobody's surrogates change. Where the
//! entries come from and under which licence: `lists/README.md`.

/// A list as its file has it: UTF-8, one entry a line, every line ended by LF.
///
/// ```
/// use lakeveil::transforms::surrogate::lists::List;
/// let cities = List::find("city.fr_FR", 1).unwrap();
/// assert_eq!(cities.name(), "city.fr_FR@1");
/// assert!(cities.lines().any(|city| city == "Lyon"));
/// assert!(List::find("city.fr_FR", 0).is_none());
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct List {
    /// Kind and locale, such as `given_name.en_US`.
    pub id: &'static str,
    /// From 1.
    pub version: u16,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: &'static str,
    text: &'static str,
}

impl List {
    /// The list of this id and version, if there is one.
    pub fn find(id: &str, version: u16) -> Option<&'static List> {
        LISTS.iter().find(|list| list.id == id && list.version == version)
    }

    /// The list that is written `ID@VERSION`.
    pub fn named(name: &str) -> Option<&'static List> {
        LISTS.iter().find(|list| list.name() == name)
    }

    /// `ID@VERSION`: what is framed before the value when an entry is drawn.
    pub fn name(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// The entries, in the order of the file.
    pub fn lines(&self) -> impl Iterator<Item = &'static str> {
        self.text.lines()
    }

    /// Whether lines are patterns rather than words, see [`super::pattern`].
    pub fn holds_patterns(&self) -> bool {
        let kind = self.id.split_once('.').map_or(self.id, |(kind, _)| kind);
        matches!(kind, "company" | "email" | "full_name" | "phone" | "street_address")
    }
}

macro_rules! list {
    ($id:literal, $version:literal, $sha256:literal) => {
        List {
            id: $id,
            version: $version,
            sha256: $sha256,
            text: include_str!(concat!("lists/", $id, ".v", $version, ".txt")),
        }
    };
}

/// Every list that there ever was.
pub const LISTS: &[List] = &[
    list!("city.de_DE", 1, "79e3df085714bedcb81bbce88b302a6eaf8c2533af700cfca7ec03925e83c998"),
    list!("city.en_GB", 1, "147c8096750757c53d31027ea547960caa151fb4a7183b2119ee686eea2f6c30"),
    list!("city.en_US", 1, "22748de4c6aecce50091489d21c417aa9dee64ad8a72986403647392ffc8698b"),
    list!("city.es_ES", 1, "ab86ec81ceca2a771d39a889f78e01dd0976dff66925e4b9e277bbe9e26dbd07"),
    list!("city.fr_FR", 1, "9a582805da16bc86c45baaaee5544b37d6f1d8b4ad29e10e3c1ca0276adefaf0"),
    list!("city.it_IT", 1, "315b575d7c1338dc35be5a7cfb5eaa4ac737434ddffea7180267e876c072ca50"),
    list!("city.pl_PL", 1, "9ad56439466eab0ac485b807d11fe22ff785b7c949550c5b0ec803b4e031bf6e"),
    list!("company.de_DE", 1, "5743f4721cd2315ac6f41ff5c35d31425acb576596813a4b62bdaf0db0ed6831"),
    list!("company.en_GB", 1, "09e24a4c3bd14cbccc0e9dbffff2c0fa699011a5e1705e59d3a614f64323b50f"),
    list!("company.en_US", 1, "9f1bb3f930c897ffb695183caffc636fa0e9a0c292cfe2386a92c911650eb1f8"),
    list!("company.es_ES", 1, "1ae45a5b4fe13340a6e0803c724ac82cc2a20262f98db6d053864909f99ae549"),
    list!("company.fr_FR", 1, "838123fe5ef205c9dc9edcc75687f49661e2e4c46782801124a2da4538070e33"),
    list!("company.it_IT", 1, "2696096de3e884d901e075630cde68679dd575e3761e1d7b87186545703cb0dc"),
    list!("company.pl_PL", 1, "1b7eabf511077ff1bb9f6e2b4c5f9863884d00af28c8388bc0113b96db09ef77"),
    list!("company_stem.zxx", 1, "8ac6367fbbf87f908cb8ab6ae578d363c04c89ae6f75d70ff3e71f4995164acf"),
    list!("email.de_DE", 1, "f1d2e5954f5261740eee266833bda8d9d952f69d02a89eb9ebc5ef3f6e67867f"),
    list!("email.en_GB", 1, "9c04f41a1ec0ccb2bd9df22967017d39c1eb8027016355ce5076caa5884aca48"),
    list!("email.en_US", 1, "429bbdaeb5bd9ff68d6c8de49773f034bdef1b4792375578dea7d2b8ac46d196"),
    list!("email.es_ES", 1, "f50810bb64d6a6e545ebe459d9f7bd71b1b6ec29342bd1271781e2de1f3ee78b"),
    list!("email.fr_FR", 1, "eccbec01d498f1d005ea233758ea22efaa8c4db28ee7f191147691b50c0992bd"),
    list!("email.it_IT", 1, "c778a5e1db973f334503df85a706c301701dacf188a650645e18c414853c0b8e"),
    list!("email.pl_PL", 1, "f567e324f18afb8838d1e5617e4ecc6e12d3819fe004c0058ada06fcfdf37e0e"),
    list!("family_name.de_DE", 1, "c5d065ed3a52f8788cdc0ad94cb312c7320e72ed2b80306323946869d227b793"),
    list!("family_name.en_GB", 1, "bc5584c8eadee997b33e29e97b89cd17a44a997891e61f1982c082e91f513050"),
    list!("family_name.en_US", 1, "1158e892f19104b3dc707692b7e95abf546e759a8461a1028ee87863aa7de4f2"),
    list!("family_name.es_ES", 1, "654f8e9cef1423e7c4714cbfd03ffdbc7d7869309d08de5ec1e132ddf1fb9524"),
    list!("family_name.fr_FR", 1, "25201cc42b2d26ea83efc1decf7471a9d6539f3b47c7492e49f3be5bd993f17a"),
    list!("family_name.it_IT", 1, "3473987f73b18a494a4cb1ce6f202c943e469abef453cae01b336d4073407b2f"),
    list!("family_name.pl_PL", 1, "53274ab65c7280dabb1ce3dc98c7432c33bf3c5a84e3b5185659e704396f8481"),
    list!("full_name.de_DE", 1, "fce225961a4218af00c8cb31ff56dd867df96d5a9ea122bf632f26199aa7edab"),
    list!("full_name.en_GB", 1, "6fc1143f5b2e628eaa3ba35473415054daa1229b9bdecd6cd0ccd84dd8244ba8"),
    list!("full_name.en_US", 1, "5d088ff9b73b657edb26d318151ed7fbda6bb97f0442cac48ccdc9b8380c6571"),
    list!("full_name.es_ES", 1, "c9e2e38bcec69e81966a5eb49ddcefb5513a795ce6bc9d67e38a74ed162480ee"),
    list!("full_name.fr_FR", 1, "b48f9b4eee330b587d90f9e5f8cdd6673b9e068091aaf4a478471086e7dec2d6"),
    list!("full_name.it_IT", 1, "16177c01e23e37ac6f4fcee5a901474f25115b7c30a5c1f0c7b6268062abdabf"),
    list!("full_name.pl_PL", 1, "0ac67caceeff9eda74ad330f35f371edad02ceb132aad2c49d68e06a23d73390"),
    list!("given_name.de_DE", 1, "4b02d24c330bfdbf8070ea657ea12ccde36a1b7eb1670af24c5336ddf1ed5872"),
    list!("given_name.en_GB", 1, "cc6ff692f95447ff3f980fe81ca2e0e62702ac9d36e969c2523fabfc32d45c94"),
    list!("given_name.en_US", 1, "56cf13cbefa04e55f2b125373a8e747dc15c539af894d5c3e327f1bafbfc66e9"),
    list!("given_name.es_ES", 1, "186b8b5cff3b6ab4378ab5d8408630f44719cdac9caaeb7bf9fad27f9e1d930c"),
    list!("given_name.fr_FR", 1, "d6544b088960f7a40ab07fdf84894f5017aff04f86f183515e0b5119521ba872"),
    list!("given_name.it_IT", 1, "5eeda3134794c080338291e5de2f6aa1d85ad505de6b6911e1ecd1850514eece"),
    list!("given_name.pl_PL", 1, "c49519ef1d2c01d844002425f92c26492772ca19f6542a6661a6800d479238e3"),
    list!("phone.de_DE", 1, "c7e4631ddf4afb369c1febf1bc61b93173ccf5b91d4df51baf95dcad595d9d4a"),
    list!("phone.en_AU", 1, "beb697059136dc13b2cf322fc9ce7daf02ef2fb33503a37a8c5bf973e800591d"),
    list!("phone.en_CA", 1, "dd1fccc65fc79faf71a2ffb06589fde99e9089e4656ebe4a629b46801bb1efc0"),
    list!("phone.en_GB", 1, "3ca8ca149424fd59d312a577f5bb702bce6d7dcfd8c2770dd82892835d2953f5"),
    list!("phone.en_US", 1, "3c22a497a83bca403dd3839242a3a46b375b7b2a09c26727a6cdb1ac6c6e0679"),
    list!("phone.fr_FR", 1, "cd6380f5e9d73774728ed25b8e5540b6b9e29ffeeb0a2bda09cff6ac23077453"),
    list!("phone.sv_SE", 1, "db743733ed7c303a404688b8432d5b241b7a4b4343ab2da9e6bf250da3ac5aad"),
    list!("street.de_DE", 1, "8d22666cdbabd0290402c0092f4ea49f8b1de8e9105b971dee2c1e53d227ec78"),
    list!("street.en_GB", 1, "9c6ef51e890662d15de74f48e571e6ebf5e2540f91a38682cfa9f8fdac6aa6be"),
    list!("street.en_US", 1, "666c2f2116c5d675d03a268bb076ae871b983608ef701dbe07359ee8689df3ee"),
    list!("street.es_ES", 1, "979fd8c07f93e701dd4a2e3e85b652590594f4da1a65ec6e1d182e368f535eb8"),
    list!("street.fr_FR", 1, "feda01209eaee85bd3ecf375bbc3c8463fe1813914b6a37df018be908dad4af3"),
    list!("street.it_IT", 1, "81a9926f75c1a100e4257e1bc3a286b2283083359e556ea675ca0b3e830633ac"),
    list!("street.pl_PL", 1, "e38f56e100530f517a9ae45da786c97df369c6830e7e9e5cffdefb585f0f15d2"),
    list!("street_address.de_DE", 1, "4b485602fae7a1a99df8b5cb9392bf2b5e4fdcd7a7fa0fe99cb6bb5f48b89354"),
    list!("street_address.en_GB", 1, "994eed041692bace7b085d93a2b01ef76b8b9477c58392a1d9e7ea934fdc37da"),
    list!("street_address.en_US", 1, "8a1ee73466b6de21017d97fdbda817987a41e7b964b577ce31e346cffb884718"),
    list!("street_address.es_ES", 1, "3cf1abd54ec068c57176c3f7c8a8dc5d7a0af9b8fba3427578712e643290b56d"),
    list!("street_address.fr_FR", 1, "04b5a9981690a6617465e8d634438566a330749ff2adf60b438cc6cb84059412"),
    list!("street_address.it_IT", 1, "2c487ac2b6dc1162c10672deff5a4c33a6edb3716e1be2a9e22cd910c046c52e"),
    list!("street_address.pl_PL", 1, "5e2269a1afb42354ae15c335aa5d88a35f8588cc2d4169724013907253d1fd36"),
];
