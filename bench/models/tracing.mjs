/** The cost of n8n's tracing for a chat, and of this package's spans: one n8n per setting, in turn. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../scripts/lib/ports.mjs';
import { quantile } from '../chat/contest.mjs';
import { cpuSecondsOf } from '../lib/machine.mjs';
import { publish } from './agent.mjs';
import { localChatModel } from './contest.mjs';
import { startInstantServer } from './instant-server.mjs';
import { median } from './workflow.mjs';

/** Tokens of an answer: the server sends one word per piece. */
const WORDS = 1000;
const ROUNDS = 7;
/** Runs of each contestant per round. */
const RUNS = 8;
/** Runs after which V8 has compiled the code. */
const WARM_UP_RUNS = 25;
/** Batch interval of n8n's exporter. Exporting is part of the cost, so a round waits for it. */
const COLLECT_MS = 500;
/** An attribute that only this package's spans have. */
const OUR_SPANS = 'gen_ai.operation.name';
const PATH = 'traced';

/** @param {{ hangs?: boolean }} [how] `hangs`: takes what is sent and never answers */
const startCollector = async ({ hangs = false } = {}) => {
	const got = { requests: 0, withOurs: 0 };
	const server = createServer((incoming, outgoing) => {
		/** @type {Buffer[]} */
		const body = [];
		incoming.on('data', (piece) => body.push(piece));
		incoming.on('end', () => {
			got.requests += 1;
			if (Buffer.concat(body).includes(OUR_SPANS)) got.withOurs += 1;
			if (!hangs) outgoing.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
	return {
		url: `http://127.0.0.1:${port}`,
		got,
		stop: () => {
			server.closeAllConnections();
			server.close();
		},
	};
};

/** @param {string} url @returns {Record<string, string>} */
const tracedTo = (url) => ({
	N8N_OTEL_ENABLED: 'true',
	N8N_OTEL_EXPORTER_OTLP_ENDPOINT: url,
	OTEL_BSP_SCHEDULE_DELAY: String(COLLECT_MS),
});

/**
 * @param {import('./contest.mjs').Environment['n8n']} n8n
 * @returns {Promise<number>} milliseconds to the first word
 */
const firstWord = async (n8n) => {
	let first = NaN;
	let text = '';
	for await (const { type, content = '', atMs } of n8n.chat(PATH, `Write ${WORDS} words.`)) {
		if (type !== 'item') continue;
		if (text === '') first = atMs;
		text += content;
	}
	if (!text.includes(`word${WORDS}.`))
		throw new Error(`The chat was not answered: ${text.slice(0, 500)}`);
	return first;
};

/** @param {import('./contest.mjs').Environment['n8n']} n8n @param {number} runs */
const roundOf = async (n8n, runs) => {
	const before = cpuSecondsOf(n8n.service.pid);
	/** @type {number[]} */
	const firsts = [];
	for (let run = 0; run < runs; run += 1) firsts.push(await firstWord(n8n));
	await delay(2 * COLLECT_MS);
	return {
		cpuMs: ((cpuSecondsOf(n8n.service.pid) - before) * 1000) / ((runs * WORDS) / 1000),
		firsts,
	};
};

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const tracing = async ({ n8n, start, log, rounds: given }) => {
	const rounds = given === 1 ? 1 : ROUNDS;
	const model = await startInstantServer();
	const [taking, alone, hanging] = [
		await startCollector(),
		await startCollector(),
		await startCollector({ hangs: true }),
	];
	const refused = `http://127.0.0.1:${await freePort()}`;
	/** @type {Record<string, Record<string, string>>} */
	const settings = {
		'on, without the spans of this package': {
			...tracedTo(alone.url),
			N8N_OTEL_TRACES_INJECT_OUTBOUND: 'false',
		},
		'on, a receiver that takes them': tracedTo(taking.url),
		'on, a collector that never answers': tracedTo(hanging.url),
		'on, nothing listens there': tracedTo(refused),
	};
	/** @type {Record<string, import('./contest.mjs').Environment['n8n']>} */
	const contestants = { off: n8n };
	for (const [at, [name, env]] of Object.entries(settings).entries())
		contestants[name] = await start(`traced-${at}`, env);
	for (const [name, one] of Object.entries(contestants)) {
		await publish(one, PATH, 'streaming', localChatModel(model.url, {}));
		await log.step(
			`tracing, warm-up: ${name}`,
			async () => void (await roundOf(one, WARM_UP_RUNS)),
		);
	}
	const names = Object.keys(contestants);
	/** @type {Record<string, Array<Awaited<ReturnType<typeof roundOf>>>>} */
	const found = Object.fromEntries(names.map((name) => [name, []]));
	for (let round = 0; round < rounds; round += 1) {
		await log.step(`tracing, round ${round + 1}`, async (progress) => {
			// In turn, each round with another one first, so that a change of the machine's speed affects all alike.
			for (let at = 0; at < names.length; at += 1) {
				const name = names[(at + round) % names.length] ?? '';
				const one = contestants[name];
				if (one) found[name]?.push(await roundOf(one, RUNS));
			}
			progress.note(names.map((name) => found[name]?.at(-1)?.cpuMs.toFixed(0)).join(', '));
		});
	}
	const off = found.off ?? [];
	const rows = names.map((name) => {
		const all = found[name] ?? [];
		const against = all.map(({ cpuMs }, round) => cpuMs / (off[round]?.cpuMs ?? NaN));
		const firsts = all.flatMap((round) => round.firsts);
		const later = all.map((round, at) => median(round.firsts) - median(off[at]?.firsts ?? []));
		const middle = (/** @type {number[]} */ values, /** @type {number} */ digits) =>
			`${quantile(values, 0.5).toFixed(digits)} (${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)})`;
		const memory = ((contestants[name]?.residentBytes() ?? NaN) / 2 ** 20).toFixed(0);
		return `| ${name} | ${median(all.map(({ cpuMs }) => cpuMs)).toFixed(0)} | ${name === 'off' ? '1' : middle(against, 2)} | ${median(firsts).toFixed(0)} | ${name === 'off' ? '' : middle(later, 1)} | ${quantile(firsts, 0.95).toFixed(0)} | ${memory} |`;
	});
	for (const name of Object.keys(settings)) await contestants[name]?.stop();
	for (const collector of [taking, alone, hanging]) collector.stop();
	model.stop();
	if (
		taking.got.withOurs === 0 ||
		hanging.got.withOurs === 0 ||
		alone.got.requests === 0 ||
		alone.got.withOurs > 0
	)
		throw new Error(
			`Traces went where they should not: ${JSON.stringify([taking.got, hanging.got, alone.got])}`,
		);
	return [
		"## What n8n's tracing costs a chat",
		'',
		`A run of n8n's agent over its chat webhook, streamed, ${WORDS} tokens: Chat Trigger, AI Agent, Local Chat Model. The server answers at once and sends a word a piece, so the table shows what n8n and the model cost; a real model takes seconds for as much. One n8n for each line, all of them running, ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${RUNS} runs of each in turn. CPU is that of n8n's main process, from the first question of a round until its spans were exported. Differences to "off" are taken round by round: their median, in brackets the middle half.`,
		'',
		'| Tracing | CPU ms per 1,000 tokens | against off | first token, ms | later than off, ms | first token p95, ms | memory, MB |',
		'|---|---|---|---|---|---|---|',
		...rows,
		'',
		`The receiver got ${taking.got.withOurs} requests with spans of this package. "Without": by \`N8N_OTEL_TRACES_INJECT_OUTBOUND=false\`, which keeps n8n's own spans.`,
	];
};
