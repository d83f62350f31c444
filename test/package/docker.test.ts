import { parse } from 'yaml';

import * as fs from 'node:fs';
import path from 'node:path';

const FOLDER = path.join('docs', 'docker');
const read = (file: string) => fs.readFileSync(path.join(FOLDER, file), 'utf8');

interface Service {
	profiles?: string[];
	build?: { context: string; dockerfile: string };
	networks?: { default: { aliases: string[] } };
	environment?: Record<string, unknown>;
	depends_on?: Record<string, { required: boolean }>;
}
const composed = () =>
	parse(read('compose.yaml'), { merge: true }) as {
		services: Record<string, Service>;
		volumes: object;
	};

describe('docs/docker/compose.yaml', () => {
	const { services } = composed();

	it('runs n8n alone without a profile', () => {
		expect(Object.keys(services).filter((name) => services[name]!.profiles === undefined)).toEqual([
			'n8n',
		]);
		expect(Object.values(services.n8n!.depends_on!).map(({ required }) => required)).toEqual([
			false,
			false,
		]);
	});

	it('has its profiles, variables and files documented on its page', () => {
		const profileNames = [
			...new Set(Object.values(services).flatMap(({ profiles = [] }) => profiles)),
		];
		const variables = [...read('compose.yaml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name!);
		const page = read('README.md');
		expect([...profileNames, ...variables].filter((name) => !page.includes(name))).toEqual([]);
		for (const { build } of Object.values(services))
			if (build !== undefined) read(path.join(build.context, build.dockerfile));
	});

	it('configures n8n as the operations page recommends', () => {
		const page = fs.readFileSync(path.join('docs', 'operations.md'), 'utf8');
		const [, table = ''] = /\n### Settings of n8n\n([^]*?)\n##/.exec(page) ?? [];
		const rows = [...table.matchAll(/^\| (`[^|]+`) \| `?(\d+|true)`?[^|]*\|/gm)].filter(
			([row]) => !row.includes('as n8n has it'),
		);
		const recommended = rows.flatMap(([, names, value]) =>
			[...names!.matchAll(/`(\w+)`/g)].map(([, name]) => [name!, value!] as const),
		);
		const environment = services.n8n!.environment!;
		expect(recommended).not.toEqual([]);
		expect(recommended.filter(([name, value]) => String(environment[name]) !== value)).toEqual([]);
	});

	it('starts the model server on the documented port', () => {
		const [, port] = /--port (\d+)/.exec(read('compose.yaml'))!;
		expect(read('README.md')).toContain(`http://llama:${port}`);
		for (const file of ['compose.yaml', 'llama-gfx906.Dockerfile'])
			expect(read(file)).toContain(`localhost:${port}/health`);
	});

	it('uses the same name for every model server, and the same settings for every process of n8n', () => {
		const servers = Object.entries(services).filter(([name]) => name.startsWith('llama-'));
		expect(servers.map(([, { networks }]) => networks!.default.aliases)).toEqual([
			['llama'],
			['llama'],
			['llama'],
		]);
		for (const name of ['webhook', 'worker'])
			expect(services[name]!.environment).toEqual(services.n8n!.environment);
	});
});
