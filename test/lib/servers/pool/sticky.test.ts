import * as fc from 'fast-check';
import ts from 'typescript';

import { conversationKey } from '../../../../lib/chat/request/conversation-key';
import { byPreference } from '../../../../lib/servers/pool/sticky';
import { childProcess, fs, os, path, process } from '../../../support/node';
import { examples } from '../../../support/properties';

const names = fc.uniqueArray(fc.webUrl(), { minLength: 1, maxLength: 6 });
const itself = (name: string) => name;

describe('the order in which a conversation prefers servers', () => {
	test('is the same however they are listed', () => {
		fc.assert(
			fc.property(fc.string(), names, (key, servers) => {
				expect(byPreference(key, [...servers].reverse(), itself)).toEqual(
					byPreference(key, servers, itself),
				);
			}),
		);
	});

	test('only the conversations of a server that is gone move', () => {
		fc.assert(
			fc.property(fc.string(), names, fc.nat(), (key, servers, at) => {
				const order = byPreference(key, servers, itself);
				const gone = servers[at % servers.length]!;
				const left = byPreference(
					key,
					servers.filter((server) => server !== gone),
					itself,
				);
				expect(left).toEqual(order.filter((server) => server !== gone));
			}),
		);
	});

	test('spreads conversations evenly', () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(fc.webUrl(), { minLength: 2, maxLength: 4 }),
				fc.string(),
				(servers, salt) => {
					const firsts = Array.from(
						{ length: 400 },
						(_none, round) => byPreference(`${salt}${round}`, servers, itself)[0],
					);
					const fair = 400 / servers.length;
					for (const server of servers) {
						const count = firsts.filter((first) => first === server).length;
						expect(count).toBeGreaterThan(fair * 0.6);
						expect(count).toBeLessThan(fair * 1.4);
					}
				},
			),
			examples(20),
		);
	});
});

describe('what stays the same in a conversation', () => {
	const tools = ['b', 'a'].map((name) => ({ name, parameters: {} }));
	const head = [
		{ role: 'system' as const, content: 'You help.' },
		{ role: 'user' as const, content: 'Hi' },
	];
	const key = conversationKey('m', head, tools);

	test('later messages, and the order of the tools, change nothing', () => {
		const later = [
			...head,
			{ role: 'assistant' as const, content: 'Hello' },
			{ role: 'user' as const, content: 'Why?' },
		];
		expect(conversationKey('m', later, [...tools].reverse())).toBe(key);
	});

	test('another beginning, model or set of tools is another conversation', () => {
		const [system, user] = head as [(typeof head)[0], (typeof head)[0]];
		const others = [
			conversationKey('n', head, tools),
			conversationKey('m', [user], tools),
			conversationKey('m', [system, { ...user, content: 'Ho' }], tools),
			conversationKey('m', head, [tools[0]!]),
			conversationKey('m', head),
		];
		expect(new Set([key, ...others]).size).toBe(6);
	});

	// Case B92: the workers of n8n's queue mode are processes of their own.
	test('another process comes to the same servers without being told anything', () => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sticky-'));
		for (const file of ['lib/servers/pool/sticky.ts', 'lib/chat/request/conversation-key.ts']) {
			const source = fs.readFileSync(path.join(process.cwd(), file), 'utf8');
			const { outputText } = ts.transpileModule(source, {
				compilerOptions: { module: ts.ModuleKind.CommonJS },
			});
			fs.writeFileSync(path.join(folder, `${path.basename(file, '.ts')}.js`), outputText);
		}
		const servers = ['http://gpu1:8080/v1', 'http://gpu2:8080/v1', 'http://gpu3:8080/v1'];
		const rounds = Array.from({ length: 20 }, (_none, at) => [
			{ role: 'user' as const, content: `Question ${at}` },
		]);
		const script = `
			const { byPreference } = require('./sticky.js');
			const { conversationKey } = require('./conversation-key.js');
			const [servers, rounds] = JSON.parse(process.argv[1]);
			console.log(JSON.stringify(rounds.map((round) => byPreference(conversationKey('m', round), servers, String))));`;
		const said = childProcess.execFileSync(
			process.execPath,
			['-e', script, JSON.stringify([servers, rounds])],
			{
				cwd: folder,
				encoding: 'utf8',
			},
		);
		fs.rmSync(folder, { recursive: true });
		const here = rounds.map((round) => byPreference(conversationKey('m', round), servers, itself));
		expect(JSON.parse(said)).toEqual(here);
	});
});
