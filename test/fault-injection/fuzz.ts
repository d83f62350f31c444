/** Random faults by seed: a random node, and a random server response with random errors in it. */
import { fs, path, process } from '../support/node-builtins';
import { fixture, parseHttp } from '../support/streams';
import { SLACK_MS } from './run-case';
import { expiry, pause, send, startFaultServer } from './fault-server';
import { Dice, mutated, type Script } from './mutations';
import type { NodeSet, Operation } from './operation';
import { answerTo, NOT_FOUND, type RecordedAnswer, sendWhole } from './recording';
import { leaksIn, OPERATIONS, type Outcome, outcomeOf, settingFor } from './node-runner';
import { Recordings } from './run-matrix';

export interface FuzzCase {
	seed: number;
	operation: Operation;
	done: string[];
	outcome: Outcome | undefined;
	ms: number;
	problems: string[];
}

/** Operations with a longer timeout would wait too long for a connection that stays open. */
const MAX_OPEN_LIMIT_MS = 60_000;
const SETTLE_MS = 120_000;
const EMPTY_WORDS = /undefined|\[object|\bNaN\b/;

/** Responses of real servers, by the service whose nodes read them. */
const RECORDED: Record<Operation['service'], readonly string[]> = {
	model: ['llama-server-v0.5.0', 'ollama-v0.17.4', 'vllm', 'fastapi', 'gpustack'],
	dify: ['dify-1.14.2', 'dify-1.16.0'],
};

export class Fuzzer {
	private readonly recordings: Recordings;
	private readonly recorded = new Map<string, readonly string[]>();

	constructor(private readonly nodes: NodeSet) {
		this.recordings = new Recordings(nodes);
	}

	/** One case. The same seed creates the same one. */
	async run(seed: number): Promise<FuzzCase> {
		const dice = new Dice(seed);
		const operation = dice.pick(OPERATIONS);
		const tools = operation.callsTools && dice.chance(0.4);
		const prepared = await this.recordings.of({ operation, phase: tools ? 'call' : 'text' });
		const strikesAll = dice.chance(0.2);
		const foreign = dice.chance(0.25) ? this.recordedAnswer(operation, dice) : undefined;
		// One seed per request, since a node's requests may come in any order.
		const seeds = Array.from({ length: 8 }, () => dice.below(2 ** 31));
		const continueOnFail = dice.chance(0.3);
		const streaming = dice.chance(0.5);
		const done: string[] = [];
		let struck = 0;
		const prefix = `/fuzz${seed}`;
		const server = await startFaultServer({
			prefix,
			handle: async (request) => {
				await request.whole;
				const recorded = answerTo(prepared.recording, request) ?? NOT_FOUND;
				if (!strikesAll && !operation.target(request)) return await sendWhole(request, recorded);
				const requestDice = new Dice(seeds[struck % seeds.length]!);
				struck += 1;
				const echo = Object.entries(request.headers)
					.filter(([name]) => name === 'authorization' || name === 'x-canary-token')
					.map(([name, value]) => `${name}: ${value}`)
					.join('; ');
				const script = mutated(foreign ?? recorded, requestDice, {
					form: operation.form,
					echo,
					mayStayOpen: operation.limitMs <= MAX_OPEN_LIMIT_MS,
				});
				done.push(script.done.join(', '));
				await play(script, request.socket);
			},
		});
		const api = operation.service === 'dify' ? '/v1' : '';
		const stop = new AbortController();
		const setting = settingFor(this.nodes, prepared, {
			baseUrl: `${server.url}${api}`,
			signal: stop.signal,
			continueOnFail,
			streaming,
		});
		const startedAt = performance.now();
		const outcome = await Promise.race([
			outcomeOf(operation, setting),
			expiry(operation.limitMs + SLACK_MS),
		]);
		const ms = performance.now() - startedAt;
		await server.settle(SETTLE_MS);
		const left = { busy: server.busy, held: server.held };
		stop.abort();
		await server.close();
		return { seed, operation, done, outcome, ms, problems: problemsOf(outcome, ms, left) };
	}

	private recordedAnswer({ service }: Operation, dice: Dice): RecordedAnswer {
		const folder = dice.pick(RECORDED[service]);
		const files = this.recorded.get(folder) ?? httpFilesIn(folder);
		this.recorded.set(folder, files);
		const { status, reason, headers, body } = parseHttp(fixture(dice.pick(files)));
		const framing = /^(?:transfer-encoding|content-length|connection|keep-alive)$/i;
		return { status, reason, headers: headers.filter(([name]) => !framing.test(name)), body };
	}
}

function httpFilesIn(folder: string): string[] {
	return fs
		.readdirSync(path.join(process.cwd(), 'test', 'fixtures', folder))
		.filter((name) => name.endsWith('.http'))
		.sort()
		.map((name) => `${folder}/${name}`);
}

async function play({ pieces, end }: Script, socket: Parameters<typeof send>[0]): Promise<void> {
	for (const { bytes, waitMs } of pieces) {
		if (waitMs > 0) await pause(waitMs);
		if (!(await send(socket, bytes))) return;
	}
	if (end === 'fin') socket.end();
	else if (end === 'rst') socket.resetAndDestroy();
}

function problemsOf(
	outcome: Outcome | undefined,
	ms: number,
	left: { busy: number; held: number },
): string[] {
	if (outcome === undefined) return [`hangs: no end after ${Math.round(ms)} ms`];
	const problems: string[] = [];
	const { failed, title, description, shown } = outcome;
	if (failed && (title.trim() === '' || description.trim() === ''))
		problems.push('empty title or description');
	const errorText = `${title}\n${description}`.replace(/Server message: ".*"/s, '');
	if (failed && EMPTY_WORDS.test(errorText)) problems.push(`meaningless text: ${errorText}`);
	if (left.busy > 0) problems.push(`leaves ${left.busy} connections open`);
	if (left.held > 0) problems.push(`leaves ${left.held} requests at the server`);
	const [leak] = leaksIn(`${title}\n${description}\n${shown}`);
	if (leak !== undefined) {
		const at = shown.indexOf(leak);
		problems.push(`shows a part of a secret: ${shown.slice(Math.max(0, at - 150), at + 40)}`);
	}
	return problems;
}

/** Runs cases with consecutive seeds concurrently. */
export async function fuzz(
	nodes: NodeSet,
	{
		first,
		count,
		atOnce,
		onDone,
	}: { first: number; count: number; atOnce: number; onDone: (done: FuzzCase) => void },
): Promise<void> {
	const fuzzer = new Fuzzer(nodes);
	let next = 0;
	const worker = async () => {
		for (let at = next++; at < count; at = next++) onDone(await fuzzer.run(first + at));
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}
