import { parse } from 'yaml';

import * as fs from 'node:fs';
import path from 'node:path';

interface Workflow {
	permissions: Record<string, string>;
	/** A job without steps is another workflow. */
	jobs: Record<string, { permissions?: Record<string, string>; steps?: Array<{ run?: string }> }>;
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
		expect(uses.length).toBeGreaterThan(5);
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
		expect(running.length).toBeGreaterThan(2);
		for (const { permissions } of running) expect(permissions).toEqual({ contents: 'read' });
	});
});
