/**
 * `npm run bench -- scale`: streamed chats in n8n in queue mode, with PostgreSQL, Redis, a main process, a webhook process
 * and workers, on llama-server and on the Dify simulator. Writes the table of docs/scale.md and of the Chinese page.
 * Its options: bench/lib/programs.mjs.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { holdChats, percentile } from '../scripts/lib/chats.mjs';
import { startLlamaServer } from '../scripts/lib/llama-server.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { ensurePostgres } from '../scripts/lib/postgres.mjs';
import { peakBytes, residentBytes } from '../scripts/lib/proc.mjs';
import { startQueueMode } from '../scripts/lib/queue-mode.mjs';
import { ensureRealParts } from '../scripts/lib/real-parts.mjs';
import { findRedis } from '../scripts/lib/redis.mjs';
import { answerOf, questions, REPLIES } from '../scripts/lib/scale-answers.mjs';
import { createAgentChat, createDifyChat } from '../scripts/lib/scale-workflows.mjs';
import { writeScriptedModel } from '../scripts/lib/tiny-model.mjs';
import { startDifySimulator } from './lib/dify-simulator.mjs';
import { machine } from './lib/machine.mjs';

const WORKERS = 3;
const CONCURRENCY = 24;
const SLOTS = 6;
const MARK = { begin: '<!-- bench scale: begin -->', end: '<!-- bench scale: end -->' };

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false }, chats: { type: 'string' } },
});
const chats = Number(options.chats ?? (options.quick ? 30 : 300));
const log = createLog();

/** @typedef {{ install: import('../scripts/lib/types').N8nInstall, nodes: string, binary: string, postgres: string }} Parts */

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(0);
/** @param {number} ms */
const seconds = (ms) => (ms / 1000).toFixed(2);

/** @param {number[]} values times to the first token, in milliseconds */
const firstTokens = (values) =>
	`${seconds(percentile(values, 0.5))} / ${seconds(percentile(values, 0.99))}`;

/**
 * Measures one row in a newly started n8n, so that its memory is that of this row.
 *
 * @param {Parts} parts
 * @param {string} work
 * @param {{ atOnce: number, limit: number }} row `limit`: Max Concurrent Requests, 0 for none
 */
const measure = async ({ install, nodes, binary, postgres }, work, { atOnce, limit }) => {
	const folder = join(work, `${atOnce}-${limit}`);
	mkdirSync(folder);
	const model = join(folder, 'model.gguf');
	writeScriptedModel(model, REPLIES);
	const llama = await startLlamaServer(binary, {
		model,
		alias: 'test-model',
		threads: 1,
		parallel: SLOTS,
		contextSize: SLOTS * 4096,
	});
	const { told, service: dify } = await startDifySimulator(
		folder,
		`
			import { appKey, startDifySim } from './test/servers/dify';
			import { answerOf } from './scripts/lib/scale-answers.mjs';
			const reply = ({ query }) => ({ steps: answerOf(query).split(/(?<= )/).map((text) => ({ text })) });
			startDifySim({ apps: [{ mode: 'chat', key: appKey('chat'), reply }] }).then((sim) => {
				// Recorded requests are not needed here, and searching them takes time.
				setInterval(() => sim.requests.splice(0), 1000);
				console.log(JSON.stringify({ url: sim.url, key: appKey('chat') }));
			});
		`,
	);
	const n8n = await startQueueMode(install, {
		folder,
		nodes,
		postgres,
		redis: findRedis(),
		workers: WORKERS,
		concurrency: CONCURRENCY,
	});
	try {
		await createAgentChat(n8n.main, 'agent', { url: llama.url, maxConcurrentRequests: limit });
		await createDifyChat(n8n.main, 'dify', JSON.parse(told));
		// Warm-up: the first chats load nodes and code.
		await holdChats(n8n.webhook, questions(12, ['agent', 'dify']), {
			atOnce: 12,
			limitMs: 120_000,
		});
		const startedAt = performance.now();
		const outcomes = await holdChats(n8n.webhook, questions(chats, ['agent', 'dify']), {
			atOnce,
			limitMs: 300_000,
		});
		const tookMs = performance.now() - startedAt;
		const right = outcomes.filter(({ answer, text, ended }) => ended && answer === answerOf(text));
		const first = (/** @type {string} */ id) =>
			outcomes.filter(({ webhookId }) => webhookId === id).map(({ firstMs = NaN }) => firstMs);
		const memory = {
			main: peakBytes(n8n.main.service.pid),
			webhook: peakBytes(n8n.webhook.service.pid),
			worker: Math.max(...n8n.workers.map(({ service }) => peakBytes(service.pid))),
			redis: peakBytes(n8n.redis.service.pid),
			llama: residentBytes(llama.service.pid),
		};
		return {
			right: right.length,
			perSecond: (1000 * chats) / tookMs,
			agent: first('agent'),
			dify: first('dify'),
			memory,
		};
	} finally {
		await n8n.stop();
		await Promise.all([llama.stop(), dify.stop()]);
	}
};

/**
 * @param {string} page
 * @param {string} text between the two marks
 */
const replaceBetweenMarks = (page, text) => {
	const path = join(root, 'docs', page);
	const before = readFileSync(path, 'utf8');
	const [from, to] = [before.indexOf(MARK.begin), before.indexOf(MARK.end)];
	if (from < 0 || to < from) throw new Error(`docs/${page} lacks the marks of the table`);
	writeFileSync(
		path,
		`${before.slice(0, from + MARK.begin.length)}\n\n${text}\n\n${before.slice(to)}`,
	);
};

const WORDS = {
	'scale.md': {
		head: [
			'At once',
			'Max Concurrent Requests',
			'Answered',
			'Chats per second',
			'Agent: first token p50 / p99, s',
			'Dify: first text p50 / p99, s',
			'Peak memory, MB: main',
			'webhook',
			'largest worker',
			'Redis',
		],
		off: 'off',
		all: (/** @type {number} */ limit) => `${limit} (all workers together: ${limit * WORKERS})`,
		machine: (/** @type {string} */ machine) =>
			`${chats} chats, half with the agent, half with Dify; ${WORKERS} workers with \`--concurrency=${CONCURRENCY}\`, llama-server with ${SLOTS} slots. Everything, clients included, ran on ${machine}: so the processors are the limit here, and n8n takes most of them.`,
	},
	'scale.zh-CN.md': {
		head: [
			'同时',
			'Max Concurrent Requests',
			'已回答',
			'每秒聊天数',
			'智能体：首个 token p50 / p99，秒',
			'Dify：首段文字 p50 / p99，秒',
			'峰值内存，MB：main',
			'webhook',
			'最大的 worker',
			'Redis',
		],
		off: '关闭',
		all: (/** @type {number} */ limit) => `${limit}（所有 worker 合计：${limit * WORKERS}）`,
		machine: (/** @type {string} */ machine) =>
			`${chats} 个聊天，一半走智能体，一半走 Dify；${WORKERS} 个 worker，各 \`--concurrency=${CONCURRENCY}\`，llama-server 有 ${SLOTS} 个槽位。包括客户端在内，全部运行在 ${machine} 上：因此这里的瓶颈是处理器，其中大部分被 n8n 占用。`,
	},
};

await main(async () => {
	const parts = { ...(await ensureRealParts(log)), postgres: await ensurePostgres(log) };
	const work = mkdtempSync(join(tmpdir(), 'local-llama-bench-scale-'));
	/** @type {Array<{ atOnce: number, limit: number } & Awaited<ReturnType<typeof measure>>>} */
	const rows = [];
	try {
		for (const atOnce of [16, 64]) {
			for (const limit of [0, SLOTS / WORKERS]) {
				await log.step(
					`${chats} chats, ${atOnce} at once, limit ${limit || 'off'}`,
					async (progress) => {
						const row = await measure(parts, work, { atOnce, limit });
						progress.note(`${row.right} answered, ${row.perSecond.toFixed(1)} a second`);
						rows.push({ atOnce, limit, ...row });
					},
				);
			}
		}
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	for (const [page, words] of Object.entries(WORDS)) {
		const lines = rows.map(({ atOnce, limit, right, perSecond, agent, dify, memory }) => [
			atOnce,
			limit === 0 ? words.off : words.all(limit),
			`${right}/${chats}`,
			perSecond.toFixed(1),
			firstTokens(agent),
			firstTokens(dify),
			...[memory.main, memory.webhook, memory.worker, memory.redis].map(megabytes),
		]);
		const table = [words.head, words.head.map(() => '---'), ...lines].map(
			(cells) => `| ${cells.join(' | ')} |`,
		);
		const text = `${words.machine(machine())}\n\n${table
			.join('\n')
			.replace(/\| ---/g, '|---')
			.replace(/--- \|/g, '---|')}`;
		log.line(`\n${text}`);
		if (!options.quick) replaceBetweenMarks(page, text);
	}
	return rows.every(({ right }) => right === chats) ? 0 : 1;
});
