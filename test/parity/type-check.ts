import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PARSED = ts.getParsedCommandLineOfConfigFile(
  `${ROOT}tsconfig.json`,
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: () => undefined,
  },
);

/** What the compiler says of each of these sources; they import as files of this folder would. */
export function typeErrors(
  sources: Readonly<Record<string, string>>,
): Readonly<Record<string, readonly string[]>> {
  const program = programOf(sources);
  return Object.fromEntries(
    Object.keys(sources).map((name) => {
      const file = program.getSourceFile(pathOf(name));
      const found = ts.getPreEmitDiagnostics(program, file);
      return [name, found.map((diagnostic) => describe(diagnostic))];
    }),
  );
}

/** The names that a module exports: which are types, with how many parameters, and which are values. */
export interface ExportedName {
  readonly name: string;
  readonly isType: boolean;
  readonly isValue: boolean;
  readonly typeParameters: number;
}

export function exportedNames(specifier: string): readonly ExportedName[] {
  const program = programOf({ 'entry.ts': `import '${specifier}';` });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(pathOf('entry.ts'));
  const [statement] = file?.statements ?? [];
  if (statement === undefined || !ts.isImportDeclaration(statement)) throw new Error('no import');
  const module = checker.getSymbolAtLocation(statement.moduleSpecifier);
  if (module === undefined) throw new Error(`${specifier} cannot be resolved`);
  return checker.getExportsOfModule(module).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const isType = (target.flags & ts.SymbolFlags.Type) !== 0;
    return {
      name: symbol.name,
      isType,
      isValue: (target.flags & ts.SymbolFlags.Value) !== 0,
      typeParameters: isType ? parametersOf(target) : 0,
    };
  });
}

function parametersOf(symbol: ts.Symbol): number {
  const counts = (symbol.declarations ?? []).map((declaration) =>
    'typeParameters' in declaration
      ? ((declaration.typeParameters as readonly unknown[] | undefined) ?? []).length
      : 0,
  );
  return Math.max(0, ...counts);
}

function programOf(sources: Readonly<Record<string, string>>): ts.Program {
  if (PARSED === undefined) throw new Error('tsconfig.json cannot be read');
  const options = { ...PARSED.options, noEmit: true, noUnusedLocals: false };
  const host = ts.createCompilerHost(options);
  const files = new Map(Object.entries(sources).map(([name, text]) => [pathOf(name), text]));
  const withFiles: ts.CompilerHost = {
    ...host,
    fileExists: (path) => files.has(path) || host.fileExists(path),
    readFile: (path) => files.get(path) ?? host.readFile(path),
    getSourceFile: (path, language, ...rest) => {
      const text = files.get(path);
      return text === undefined
        ? host.getSourceFile(path, language, ...rest)
        : ts.createSourceFile(path, text, language);
    },
  };
  return ts.createProgram([...files.keys()], options, withFiles);
}

function pathOf(name: string): string {
  return `${ROOT}test/parity/${name}`;
}

function describe(diagnostic: ts.Diagnostic): string {
  const { file, start, messageText } = diagnostic;
  const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line : 0;
  const text = file?.text.split('\n')[line]?.trim() ?? '';
  return `${text}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
}
