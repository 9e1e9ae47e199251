//! The C examples of the documentation compile, and the whole programs run.

use crate::tools::{CLANGXX, GCC, Link, crate_dir, run, scratch};

/// The `c` blocks of a text.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        // In the header, each line begins like this.
        let line = line.strip_prefix(" * ").or(line.strip_prefix(" *")).unwrap_or(line);
        let line = line.strip_prefix("     * ").unwrap_or(line);
        match (&mut block, line.trim_end()) {
            (None, "```c") => block = Some(String::new()),
            (Some(_), "```") => blocks.extend(block.take()),
            (Some(block), _) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

fn read(path: &str) -> String {
    std::fs::read_to_string(crate_dir().join(path)).expect(path)
}

#[test]
fn programs_in_the_documentation_run() {
    for page in ["README.md", "../../docs/c.md"] {
        let programs: Vec<_> =
            blocks(&read(page)).into_iter().filter(|block| block.contains("int main(")).collect();
        assert!(!programs.is_empty(), "{page} has no program");
        for program in programs {
            let source = scratch("example").join("example.c");
            std::fs::write(&source, program).expect("a new directory");
            let program = GCC.compile(&source, "example", Link::Shared);
            let output = run("gcc", &mut std::process::Command::new(program));
            assert!(!output.is_empty(), "{page}");
        }
    }
}

#[test]
fn fragments_in_the_documentation_compile_and_run() {
    let texts = [read("README.md"), read("../../docs/c.md"), read("include/uadk_compress.h")];
    let fragments: Vec<_> = texts
        .iter()
        .flat_map(|text| blocks(text))
        .filter(|block| !block.contains("int main("))
        .collect();
    assert!(fragments.len() >= 5, "{fragments:?}");
    let mut program = String::from(
        "#include <stdio.h>\n#include <stdlib.h>\n#include \"uadk_compress.h\"\n\
         int main(void) {\n\
         uadk_compressor *compressor;\n\
         unsigned char destination[64];\n\
         if (uadk_compressor_new(\"format=zlib\", &compressor) != UADK_STATUS_OK) return 1;\n\
         (void)destination;\n",
    );
    for fragment in fragments {
        program.push_str("{\n");
        program.push_str(&fragment);
        program.push_str("}\n");
    }
    program.push_str("uadk_compressor_free(compressor);\nreturn 0;\n}\n");
    let source = scratch("fragments").join("fragments.c");
    std::fs::write(&source, program).expect("a new directory");
    run("gcc", &mut std::process::Command::new(GCC.compile(&source, "fragments", Link::Shared)));
}

#[test]
fn the_header_alone_is_valid_c_and_cpp() {
    let source = scratch("alone").join("alone.c");
    std::fs::write(&source, "#include \"uadk_compress.h\"\nint main(void) { return 0; }\n")
        .expect("a new directory");
    for compiler in [GCC, CLANGXX] {
        compiler.compile(&source, "alone", Link::Shared);
    }
}
