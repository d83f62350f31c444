import * as fs from 'node:fs';
import { loadModule, loadScript } from '../support/files/scripts';
import { filesIn } from './sources';

const { scripts } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
	scripts: Record<string, string>;
};

/** Scripts that npm runs without `run`. */
const SHORT = ['start', 'test'];
/** Scripts that npm runs before a command. */
const HOOKS: Readonly<Record<string, string>> = { prepack: 'pack', prepublishOnly: 'publish' };

/** All texts of the repository that may name commands. */
const texts = async (): Promise<string[]> => [
	...(await loadScript<{ documents(): string[] }>('checks/pictures')).documents(),
	...filesIn(['bench', 'scripts', '.github', '.vscode', 'docs/docker'], /./).filter((file) =>
		fs.statSync(file).isFile(),
	),
	...fs.readdirSync('.').filter((file) => /\.[cm]?js$/.test(file)),
	'.ci/run',
];

it('CONTRIBUTING explains each npm script', () => {
	const contributing = fs.readFileSync('CONTRIBUTING.md', 'utf8');
	const unexplained = Object.keys(scripts).filter((name) => {
		const short = HOOKS[name] ?? (SHORT.includes(name) ? name : `run ${name}`);
		const command = `npm ${short}`;
		return !new RegExp(`^\\|[^|]*\`${command}( [^\`]*)?\``, 'm').test(contributing);
	});
	expect(unexplained).toEqual([]);
});

it('every command in the documents exists', async () => {
	const { PROGRAMS } = await loadModule<{ PROGRAMS: Array<{ name: string }> }>(
		'bench/lib/programs',
	);
	const benches = PROGRAMS.map(({ name }) => name);
	const missing = (await texts()).flatMap((file) => {
		const text = fs.readFileSync(file, 'utf8');
		const commands = [...text.matchAll(/npm run ([a-z][\w:-]*)(?: -- ([a-z]+))?/g)];
		return commands
			.filter(([, name = '', bench]) => {
				if (name === 'bench' && bench !== undefined) return !benches.includes(bench);
				return !(name in scripts);
			})
			.map(([command]) => `${file}: ${command}`);
	});
	expect(missing).toEqual([]);
});

it('every script of package.json and every editor task runs an existing file', () => {
	const files = Object.values(scripts).flatMap((command) => command.match(/[\w/-]+\.mjs/g) ?? []);
	expect(files.filter((file) => !fs.existsSync(file))).toEqual([]);
	const { tasks } = JSON.parse(fs.readFileSync('.vscode/tasks.json', 'utf8')) as {
		tasks: Array<{ type: string; script?: string }>;
	};
	const npm = tasks.filter(({ type }) => type === 'npm').map(({ script }) => script ?? '');
	expect(npm.filter((name) => !(name in scripts))).toEqual([]);
	expect(npm).not.toEqual([]);
});
