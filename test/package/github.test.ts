import { parse } from 'yaml';

import * as fs from 'node:fs';
import path from 'node:path';

interface Step {
	run?: string;
	env?: Record<string, string>;
}

interface Workflow {
	permissions: Record<string, string>;
	/** A job without steps is another workflow. */
	jobs: Record<string, { permissions?: Record<string, string>; steps?: Step[] }>;
}

const FOLDER = '.github';

const FILES = fs
	.readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
	.filter((file) => /\.ya?ml$/.test(file))
	.sort();

const read = (file: string) => fs.readFileSync(path.join(FOLDER, file), 'utf8');

describe('the YAML files for GitHub', () => {
	test('the commands of the workflows are scripts of the package', () => {
		const { scripts } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
			scripts: Record<string, string>;
		};
		const usedActions = FILES.filter((file) => file.startsWith('workflows/')).flatMap((file) =>
			[...read(file).matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => name!),
		);
		expect(usedActions).toEqual(expect.arrayContaining(['test:e2e', 'test:full']));
		expect(usedActions.filter((name) => !(name in scripts))).toEqual([]);
	});

	test('actions are pinned by hash', () => {
		const uses = FILES.flatMap((file) => [...read(file).matchAll(/\buses: ([^.].*)/g)]);
		expect(uses).not.toEqual([]);
		for (const [, action] of uses) expect(action).toMatch(/^[\w./-]+@[\da-f]{40} # v\d/);
	});

	test('jobs that run the code of dependencies can neither publish nor write', () => {
		const workflows = FILES.filter((file) => file.startsWith('workflows/')).map(
			(file) => parse(read(file)) as Workflow,
		);
		const jobs = workflows.flatMap(({ permissions, jobs: all }) =>
			Object.values(all).map((job) => ({ permissions, ...job })),
		);
		const running = jobs.filter(({ steps = [] }) =>
			steps.some(({ run = '' }) => /\bnpm (?:test|run|ci)\b/.test(run)),
		);
		expect(running).not.toEqual([]);
		for (const { permissions } of running) expect(permissions).toEqual({ contents: 'read' });
	});

	test('what a step downloads has a fixed version and a checksum, and is not piped into a shell', () => {
		const steps = FILES.filter((file) => file.startsWith('workflows/')).flatMap((file) =>
			Object.values((parse(read(file)) as Workflow).jobs).flatMap((job) => job.steps ?? []),
		);
		expect(steps.filter(({ run = '' }) => /\bnpm install|\bpip install/.test(run))).not.toEqual([]);
		expect(steps.flatMap((step) => findUnpinned(step))).toEqual([]);
	});

	test.each([
		'npm install --global npm@11',
		'npm i -g npm',
		'npm install --global npm@latest',
		'npx semantic-release',
		'npx --yes semantic-release@^24',
		'npm exec -- cowsay',
		'pnpm add -g x',
		'corepack enable',
		'curl -fsSL https://ollama.com/install.sh | sh',
		'curl -fsSL https://ollama.com/install.sh | OLLAMA_VERSION=0.17.4 sh',
		'wget -qO- https://example.com/x | sudo bash -s --',
		'bash <(curl -s https://example.com/x)',
		'sh -c "$(curl -fsSL https://example.com/x)"',
		'curl -o x.sh https://example.com/x && bash x.sh',
		'curl -fsSL https://example.com/x | tar xz',
		'curl -fsSL https://example.com/x \\\n  | python3 -',
		'pip install fastapi',
		"pip install 'litellm[proxy]>=1.0'",
		'python3 -m pip install a==1.0 b',
		'docker pull ollama/ollama:latest',
		'docker run --rm node:24 sh',
		'docker create --name x ollama/ollama:0.17.4',
		'go install example.com/x@latest',
		'cargo install x',
		'gem install x',
	])('%s is found', (run) => {
		expect(findUnpinned({ run })).not.toEqual([]);
	});
});

/** Programs that run what they read. */
const INTERPRETER = String.raw`(?:ba|z|da)?sh|python3?|node|perl|ruby|tar|iex`;

const EXACT_VERSION = /^(?:'|")?[\w@/.[\]-]+(?:==|@)\d+(?:\.\d+){2,}(?:'|")?$/;

/** The commands of a step that download what neither a version nor a checksum determines. */
function findUnpinned({ run = '', env = {} }: Step): string[] {
	const filled = run
		.replaceAll('\\\n', ' ')
		.replace(/\$\{?(\w+)\}?/g, (reference, name: string) => env[name] ?? reference);
	const hasChecksum = /\bsha(?:256|512)sum --check/.test(filled);
	return filled.split('\n').filter((line) => {
		const isPiped =
			new RegExp(
				String.raw`\b(?:curl|wget)\b.*\|(?:\s*\w+=\S+)*\s*(?:sudo\s+)?(?:\w+=\S+\s+)*(?:${INTERPRETER})\b`,
			).test(line) || /(?:<|\$)\(\s*(?:curl|wget)\b/.test(line);
		const isDownload = /\b(?:curl|wget|npm pack \S)/.test(line);
		return isPiped || (isDownload && !hasChecksum) || hasUnpinnedPackage(line, hasChecksum);
	});
}

function hasUnpinnedPackage(line: string, hasChecksum: boolean) {
	if (
		/\b(?:npx|npm exec|pnpm|yarn|corepack|cargo|gem|go) /.test(line) ||
		/\bgo install\b/.test(line)
	)
		return true;
	const npm = /\bnpm (?:install|i|add)\b(.*)/.exec(line)?.[1];
	if (npm !== undefined) {
		const packages = npm.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'));
		return !hasChecksum || !packages.every((name) => /^"?\.\//.test(name));
	}
	const pip = /\bpip install\b(.*)/.exec(line)?.[1];
	if (pip !== undefined) return getRequirements(pip).some((name) => !EXACT_VERSION.test(name));
	const image = /\bdocker (?:pull|create|run)\b(.*)/.exec(line)?.[1];
	// An image without a registry that the workflow itself built has the tag `test`.
	return image !== undefined && !/@sha256:[\da-f]{64}\b/.test(image) && !/:test\b/.test(image);
}

/** The packages of `pip install`, without its options. */
function getRequirements(command: string) {
	return command
		.replace(/--extra-index-url \S+/g, '')
		.split(/\s+/)
		.filter((word) => word !== '' && !word.startsWith('-'));
}
