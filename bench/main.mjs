/** `npm run bench -- <name>`: one of the programs of this folder, with its options. Without a name it lists them. */
import { PROGRAMS, usage } from './lib/programs.mjs';

const [, , name = '', first = ''] = process.argv;
const program = PROGRAMS.find((one) => one.name === name);
const isHelp = (/** @type {string} */ argument) => ['--help', '-h', 'help'].includes(argument);

if (program === undefined) {
	const isHelpRequested = name === '' || isHelp(name);
	process.stderr.write(
		`${isHelpRequested ? '' : `There is no bench of the name "${name}".\n\n`}${usage(PROGRAMS)}\n`,
	);
	process.exit(isHelpRequested ? 0 : 1);
}
if (isHelp(first)) {
	process.stderr.write(`${usage([program])}\n`);
	process.exit(0);
}
// Each program reads its own options from the command line.
process.argv.splice(2, 1);
try {
	await import(`./${name}.mjs`);
} catch (error) {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	if (!(error instanceof Error) || !code.startsWith('ERR_PARSE_ARGS')) throw error;
	process.stderr.write(`${error.message}\n\n${usage([program])}\n`);
	process.exit(1);
}
