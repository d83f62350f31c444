/**
 * `npm run bench -- items`: what many short items cost in the nodes themselves. Local Llama, n8n's HTTP Request and the
 * Basic LLM Chain ask a server that responds immediately, in one run of one real n8n. Writes bench/results/items.md. With
 * `--against`, another clone takes part, in an n8n of its own. Options: bench/lib/programs.mjs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureN8nWithNodes } from '../scripts/lib/checks/e2e.mjs';
import { createLog } from '../scripts/lib/system/log.mjs';
import { main } from '../scripts/lib/system/script-main.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../scripts/lib/n8n/n8n.mjs';
import { root } from '../scripts/lib/system/paths.mjs';
import { startInstantServer } from './items/instant-server.mjs';
import { secondsOn } from './items/workflow.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { startN8nWithOtherBuild } from './lib/other-build.mjs';
import { median, spread } from './lib/statistics.mjs';

/** @typedef {import('./items/workflow.mjs').Contestant} Contestant */

const { values: options } = parseArgs({
	options: {
		quick: { type: 'boolean', default: false },
		against: { type: 'string' },
		rounds: { type: 'string', default: '9' },
	},
});
const COUNT = options.quick ? 50 : 500;
const ROUNDS = options.quick ? 1 : Math.max(1, Number(options.rounds));
/** Node compiles for some rounds: each of the first ones takes less time than the one before. */
const WARM_UP_ROUNDS = options.quick ? 1 : 4;
const TEXTS = Array.from({ length: COUNT }, (_, at) => `Say something about number ${at}.`);
const MODEL = 'bench-model';
const OWN = 'Local Llama, Text: Chat';
const OTHER = 'The other build';
const model = { __rl: true, mode: 'id', value: MODEL };
const log = createLog();

/** @param {string} url @returns {Record<string, Contestant>} */
const createContestants = (url) => {
	const own = { name: 'own', type: 'localLlamaApi', data: { baseUrl: url } };
	const httpRequest = {
		method: 'POST',
		url: `${url}/v1/chat/completions`,
		sendBody: true,
		specifyBody: 'json',
		jsonBody: `={{ JSON.stringify({ model: '${MODEL}', messages: [{ role: 'user', content: $json.text }] }) }}`,
		options: {},
	};
	const withCredential = {
		...httpRequest,
		authentication: 'predefinedCredentialType',
		nodeCredentialType: 'localLlamaApi',
	};
	const chain = {
		type: '@n8n/n8n-nodes-langchain.chainLlm',
		typeVersion: 1.9,
		parameters: { promptType: 'define', text: '={{ $json.text }}' },
	};
	const openAi = {
		type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
		typeVersion: 1.3,
		parameters: { model, responsesApiEnabled: false, options: {} },
		credential: { name: 'openai', type: 'openAiApi', data: { apiKey: 'none', url: `${url}/v1` } },
	};
	return {
		[OWN]: {
			work: {
				type: 'CUSTOM.localLlama',
				parameters: {
					resource: 'text',
					operation: 'chat',
					model,
					prompt: '={{ $json.text }}',
					options: {},
				},
				credential: own,
			},
		},
		"n8n's HTTP Request": {
			work: { type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2, parameters: httpRequest },
		},
		"n8n's HTTP Request, with the credential of Local Llama": {
			work: {
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.2,
				parameters: withCredential,
				credential: own,
			},
		},
		'Basic LLM Chain with the OpenAI Chat Model': {
			work: chain,
			below: { ai_languageModel: openAi },
		},
	};
};

/** @param {Map<string, number[]>} seconds of each contestant, round by round */
const formatTable = (seconds) => {
	const mine = seconds.get(OWN) ?? [];
	return [
		'| | time, s | items per second | time against Local Llama |',
		'|---|---|---|---|',
		...[...seconds].map(([name, all]) => {
			const against = spread(all.map((one, round) => one / (mine[round] ?? NaN)));
			return `| ${name} | ${median(all).toFixed(2)} | ${(COUNT / median(all)).toFixed(0)} | ${against} |`;
		}),
	].join('\n');
};

await main(async () => {
	const { n8n: install, nodes } = await ensureN8nWithNodes(log);
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-bench-'));
	const server = await startInstantServer();
	try {
		const userFolder = join(folder, 'home');
		await copyPreparedUserFolder(install, userFolder);
		const n8n = await startN8n(install, { userFolder, customExtensions: [nodes] });
		await n8n.login(TEST_LOGIN);
		const created = createContestants(server.url);
		const contestants = Object.entries(created).map(([name, contestant]) => ({
			name,
			contestant,
			in: n8n,
		}));
		const other =
			options.against === undefined
				? undefined
				: await startN8nWithOtherBuild(install, options.against, folder);
		if (other !== undefined && created[OWN] !== undefined)
			contestants.push({ name: OTHER, contestant: created[OWN], in: other });
		const seconds = new Map(contestants.map(({ name }) => [name, /** @type {number[]} */ ([])]));
		// In turn, so that a change of the machine's speed affects all alike.
		for (let round = 1 - WARM_UP_ROUNDS; round <= ROUNDS; round += 1) {
			for (const { name, contestant, in: host } of contestants) {
				const title = round > 0 ? `round ${round}: ${name}` : `warm-up: ${name}`;
				await log.step(title, async (progress) => {
					const took = await secondsOn(host, title, TEXTS, contestant);
					if (round > 0) seconds.get(name)?.push(took);
					progress.note(`${took.toFixed(2)} s`);
				});
			}
		}
		await n8n.stop();
		await other?.stop();
		const table = formatTable(seconds);
		log.line(`\n${table}`);
		if (options.quick || other !== undefined) return 0;
		const text = [
			'# Many short items',
			'',
			`Written by \`npm run bench -- items\`. ${COUNT} questions of a few words in n8n ${install.version}, each node with its default settings. The server is a separate process that responds without a model, so the table shows what the nodes and n8n cost. In turn, medians of ${ROUNDS} rounds after ${WARM_UP_ROUNDS} to warm up; ratios are taken round by round, their middle half in brackets.`,
			`HTTP Request sends all concurrently; Local Llama reads the response as a stream, checks it and counts its tokens. ${machine()}, Node ${await nodeVersion()}, load ${loadavg()[0]?.toFixed(1)} at the end.`,
			'',
			table,
			'',
		];
		writeFileSync(join(root, 'bench', 'results', 'items.md'), text.join('\n'));
		return 0;
	} finally {
		server.stop();
		rmSync(folder, { recursive: true, force: true });
	}
});
