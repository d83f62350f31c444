/** Runs one case of the matrix: one operation, one fault, at one offset. */
import { startSilentServer } from '../simulators/silent';
import type { net } from '../support/node-builtins';
import {
	type FaultRequest,
	expiry,
	type FaultServer,
	pause,
	send,
	startFaultServer,
} from './fault-server';
import { chunk, type Fault, strike, type Strike } from './faults';
import { findFaultOffsets, type FaultOffsets } from './fault-offsets';
import { limitMsOf, limitsIn, type Phase } from './matrix';
import type { NodeSet, Operation } from './operation';
import { answerTo, headOf, NOT_FOUND, type RecordedAnswer, sendWhole } from './recording';
import { type Outcome, outcomeOf, type Prepared, settingFor } from './node-runner';

export interface CaseResult extends Outcome {
	/** Milliseconds until the operation ended. */
	ms: number;
	hung: boolean;
	/** Connections, and requests in progress on the server, two seconds after the end. */
	sockets: number;
	held: number;
	/** Text that had arrived before the fault. */
	textBefore: string;
	/** The requests that arrived. */
	log: readonly string[];
}

/** Tolerance beyond an operation's timeout, for busy machines. */
export const SLACK_MS = 300_000;
/** Time in which the server notices a disconnect. The wait ends as soon as it does. */
const SETTLE_MS = 120_000;
/**
 * A connection attempt ends after 10 s, even if no request waits for it. undici counts them in ticks of half a second
 * (`lib/util/timers.js`), each of which is late in a busy process.
 */
const SETTLE_CONNECTING_MS = 60_000;
const HANDSHAKE = Buffer.from([0x16, 0x03, 0x03, 0x3f, 0xff, 0x02, 0x00, 0x3f, 0xfb, 0x03, 0x03]);
const BANNER = 'SSH-2.0-OpenSSH_9.6\r\n';

export async function runCase(
	nodes: NodeSet,
	prepared: Prepared,
	phase: Phase,
	fault: Fault,
	patience = 1,
): Promise<CaseResult> {
	const testCase = new FaultCase(nodes, prepared, phase, fault, patience);
	try {
		return await testCase.run();
	} finally {
		await testCase.close();
	}
}

/** Makes URLs unique: ports are reused, and the nodes cache facts about a URL. */
let caseCount = 0;

class FaultCase {
	private server!: FaultServer;
	private readonly prefix = `/case${++caseCount}`;
	private readonly stop = new AbortController();
	private readonly closers: Array<() => Promise<void>> = [];
	private readonly operation: Operation;
	private textBefore = '';
	private struck = 0;
	private stopping = false;

	constructor(
		private readonly nodes: NodeSet,
		private readonly prepared: Prepared,
		private readonly phase: Phase,
		private readonly fault: Fault,
		private readonly patience: number,
	) {
		this.operation = prepared.operation;
	}

	async run(): Promise<CaseResult> {
		const { phase, fault, operation } = this;
		this.server = await startFaultServer({
			handle: async (request) => await this.handle(request),
			connection: (socket) => this.greets(socket),
			prefix: this.prefix,
			forgetBodies: true,
		});
		this.closers.push(async () => await this.server.close());
		const baseUrl = await this.baseUrl();
		const isQueue = phase === 'queue' && operation.queues;
		const setting = settingFor(this.nodes, this.prepared, {
			baseUrl,
			limits: limitsIn(phase, this.patience),
			signal: this.stop.signal,
			helpers: phase === 'dns' ? { getSecureEgressFilter: () => resolver(fault) } : {},
			big: phase === 'upload',
			maxConcurrentRequests: isQueue ? 1 : 0,
			streaming: true,
		});
		const inFront = isQueue ? outcomeOf(operation, setting) : undefined;
		if (isQueue) await pause(300);
		const startedAt = performance.now();
		const outcome = await Promise.race([outcomeOf(operation, setting), this.tooLong()]);
		const ms = performance.now() - startedAt;
		await inFront;
		await this.server.settle(
			phase === 'tls' || phase === 'connect' ? SETTLE_CONNECTING_MS : SETTLE_MS,
		);
		const { held, busy: sockets, log } = this.server;
		const hung = outcome === undefined;
		const empty: Outcome = { failed: true, title: '', description: '', kind: 'hung', shown: '' };
		return { ...(outcome ?? empty), ms, hung, held, sockets, textBefore: this.textBefore, log };
	}

	async close(): Promise<void> {
		this.stop.abort();
		await Promise.all(this.closers.map(async (close) => await close()));
	}

	private async tooLong(): Promise<undefined> {
		return await expiry(this.patience * limitMsOf(this.operation, this.phase) + SLACK_MS);
	}

	private async baseUrl(): Promise<string> {
		const { phase, fault, server } = this;
		const api = this.operation.service === 'dify' ? '/v1' : '';
		const tail = `${this.prefix}${api}`;
		if (phase === 'dns') return `http://faults.test:${server.port}${tail}`;
		if (phase === 'tls') return `https://127.0.0.1:${server.port}${tail}`;
		if (phase === 'connect' && fault === 'refused') server.stopListening();
		if (phase !== 'connect' || fault !== 'silence') return `${server.url}${api}`;
		const silent = await startSilentServer();
		this.closers.push(async () => await silent.close());
		return `${silent.url}${tail}`;
	}

	/** Faults of a connection before a request is read. */
	private greets(socket: net.Socket): boolean {
		const { phase, fault } = this;
		if (phase !== 'connect' && phase !== 'tls') return false;
		const strikeIt = async () => {
			if (phase === 'connect' && fault === 'garbage') {
				await send(socket, BANNER);
				socket.end();
				return;
			}
			// The beginning of a handshake.
			if (phase === 'tls' && ['reset', 'cut', 'slow'].includes(fault))
				await send(socket, HANDSHAKE);
			await strike(this.strikeAt(socket, 'handshake', '', Buffer.alloc(2_000, 'x')));
		};
		if (phase === 'connect') void strikeIt();
		else socket.once('data', () => void strikeIt());
		return true;
	}

	private strikeAt(
		socket: net.Socket,
		place: Strike['place'],
		echo: string,
		rest: Buffer,
		offsets?: Pick<FaultOffsets, 'again'>,
	): Strike {
		const { fault } = this;
		return {
			socket,
			fault,
			place,
			form: this.operation.form,
			rest,
			again: offsets?.again ?? Buffer.from('x'),
			echo,
		};
	}

	private async handle(request: FaultRequest): Promise<void> {
		const { operation, phase, prepared } = this;
		const isTarget = phase === 'upload' ? request.method === 'POST' : operation.target(request);
		const isStopCall = this.stopping && request.method === 'POST' && request.path.endsWith('/stop');
		if (isStopCall) {
			await request.whole;
			await strike(
				this.strikeAt(request.socket, 'head', echoOf(request), Buffer.from('HTTP/1.1 200 OK\r\n')),
			);
			return;
		}
		// The first of dependent requests gets the fault.
		const isSpared = phase === 'queue' && operation.queues && this.struck > 0;
		if (!isTarget || isSpared || phase === 'dns') {
			await request.whole;
			await sendWhole(request, answerTo(prepared.recording, request) ?? NOT_FOUND);
			return;
		}
		this.struck += 1;
		if (phase === 'upload') {
			request.socket.pause();
			await strike(this.strikeAt(request.socket, 'upload', echoOf(request), Buffer.alloc(0)));
			return;
		}
		await request.whole;
		await this.answer(request, answerTo(prepared.recording, request) ?? NOT_FOUND);
	}

	/** The recorded response up to the fault offset, and then the fault. */
	private async answer(request: FaultRequest, recorded: RecordedAnswer): Promise<void> {
		const { phase, operation } = this;
		const { socket } = request;
		const echo = echoOf(request);
		const offsets = findFaultOffsets(operation.form, recorded.body);
		const head = headOf(recorded, 'Transfer-Encoding: chunked');
		if (phase === 'headers' || (phase === 'queue' && operation.queues)) {
			await strike(this.strikeAt(socket, 'head', echo, Buffer.from(head)));
			return;
		}
		if (phase === 'queue') {
			// Dify's single ping while a run waits for a worker.
			await send(socket, head);
			await send(socket, chunk('event: ping\n\n'));
			await strike(this.strikeAt(socket, 'body', echo, recorded.body, offsets));
			return;
		}
		const at = {
			first: offsets.first,
			text: offsets.mid,
			call: offsets.midTool ?? offsets.mid,
			finish: offsets.finish,
		};
		const offset = phase === 'stop' ? offsets.mid : at[phase as keyof typeof at];
		this.textBefore =
			phase === 'text' ? offsets.textAtMid : phase === 'call' ? offsets.textAtMidTool : '';
		await send(socket, head);
		if (offset > 0) await send(socket, chunk(recorded.body.subarray(0, offset)));
		// Let the client read it before the connection breaks, which may discard pending data.
		await pause(50);
		if (phase === 'stop') {
			this.stopping = true;
			if (this.fault === 'refused') this.server.stopListening();
			this.stop.abort();
		}
		await strike(this.strikeAt(socket, 'body', echo, recorded.body.subarray(offset), offsets));
	}
}

/** The request's headers, as proxies and servers echo them in errors. */
function echoOf({ headers }: FaultRequest): string {
	return Object.entries(headers)
		.filter(([name]) => name === 'authorization' || name === 'x-canary-token')
		.map(([name, value]) => `${name}: ${value}`)
		.join('; ');
}

/** n8n's egress filter, with a DNS lookup that fails like the fault. */
function resolver(fault: Fault) {
	type Done = (error: Error | null, addresses?: unknown, family?: number) => void;
	return {
		validateUrl: async () => ({ ok: true }),
		validateRedirectSync: () => undefined,
		createSecureLookup: () => (hostname: string, options: { all?: boolean }, done: Done) => {
			const failed = (code: string) => {
				const error = Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), {
					code,
					syscall: 'getaddrinfo',
					hostname,
				});
				done(error);
			};
			const found = (addresses: Array<{ address: string; family: number }>) =>
				options.all === true
					? done(null, addresses)
					: done(null, addresses[0]?.address, addresses[0]?.family);
			if (fault === 'refused') failed('ENOTFOUND');
			else if (fault === 'reset') failed('EAI_AGAIN');
			else if (fault === 'garbage') found([{ address: 'no-address', family: 4 }]);
			else if (fault === 'cut') found([]);
		},
	};
}
