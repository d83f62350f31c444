/** `npm run bench -- <name>`: one of the programs of this folder, with its options. Without a name it lists them. */
import { PROGRAMS, usage } from './lib/programs.mjs';

const [, , name = '', first = ''] = process.argv;
const program = PROGRAMS.find((one) => one.name === name);
const isHelp = (/** @type {string} */ typed) => ['--help', '-h', 'help'].includes(typed);

if (program === undefined) {
	const asked = name === '' || isHelp(name);
	process.stderr.write(
		`${asked ? '' : `There is no bench of the name "${name}".\n\n`}${usage(PROGRAMS)}\n`,
	);
	process.exit(asked ? 0 : 1);
}
if (isHelp(first)) {
	process.stderr.write(`${usage([program])}\n`);
	process.exit(0);
}
// Each program reads its options itself, as if it had been started alone.
process.argv.splice(2, 1);
try {
	await import(`./${name}.mjs`);
} catch (error) {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	if (!(error instanceof Error) || !code.startsWith('ERR_PARSE_ARGS')) throw error;
	process.stderr.write(`${error.message}\n\n${usage([program])}\n`);
	process.exit(1);
}
