import { childProcess, fs, path, process } from '../support/node';
import { loadModule } from '../support/scripts';

interface Program {
	name: string;
	what: string;
	options: Record<string, string>;
}

const bench = (...args: string[]) =>
	childProcess.spawnSync(process.execPath, [path.resolve('bench', 'main.mjs'), ...args], {
		encoding: 'utf8',
	});

const programs = async (): Promise<Program[]> =>
	(await loadModule<{ PROGRAMS: Program[] }>('bench/lib/programs')).PROGRAMS;

/** The options of a program, from its `parseArgs`. */
const optionsOf = (source: string): string[] => {
	const [, read = ''] = /parseArgs\(\{\s*options: \{(.*?)\},?\s*\}\);/s.exec(source) ?? [];
	return [...read.matchAll(/([\w-]+)'?: \{ type:/g)].map(([, name]) => `--${name}`);
};

it('`npm run bench` names every program in bench/, with all its options', async () => {
	const files = fs
		.readdirSync('bench')
		.filter((file) => file.endsWith('.mjs') && file !== 'main.mjs');
	const named = await programs();
	expect(named.map(({ name }) => `${name}.mjs`).sort()).toEqual(files.sort());
	for (const { name, options } of named) {
		const typed = Object.keys(options).map((option) => option.split(' ')[0]);
		expect([name, ...typed.sort()]).toEqual([
			name,
			...optionsOf(fs.readFileSync(`bench/${name}.mjs`, 'utf8')).sort(),
		]);
	}
});

it('bench/results has a file for every program that writes one, and no other', async () => {
	const written = (await programs()).flatMap(
		({ what }) => what.match(/bench\/results\/[\w-]+\.md/g) ?? [],
	);
	const results = fs
		.readdirSync('bench/results')
		.filter((file) => file.endsWith('.md'))
		.map((file) => `bench/results/${file}`);
	expect(results).toEqual(written.sort());
});

it('lists the programs without a name', async () => {
	const { status, stderr } = bench();
	expect(status).toBe(0);
	for (const { name, what } of await programs())
		expect(stderr).toContain(`  ${name.padEnd(12)}${what}\n`);
});

it('an unknown name exits with 1 and lists the programs', () => {
	const { status, stderr } = bench('chats', '--quick');
	expect(status).toBe(1);
	expect(stderr).toContain('There is no bench of the name "chats".');
	expect(stderr).toContain('npm run bench -- <name> [options]');
});

it('--help after a name shows the options of that program', () => {
	const { status, stderr } = bench('soak', '--help');
	expect(status).toBe(0);
	expect(stderr).toContain('--minutes 30');
	expect(stderr).not.toContain('embeddings');
});

it('an option that is unknown is named, and nothing starts', () => {
	const { status, stderr } = bench('soak', '--onyl', 'x');
	expect(status).toBe(1);
	expect(stderr).toContain("Unknown option '--onyl'");
	expect(stderr).toContain('--minutes 30');
	expect(stderr).not.toContain('main.mjs:');
});
