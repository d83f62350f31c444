/** Plays recorded exchanges one after another at one address, as those of many workflows with one credential. */
import { startScripted } from '../../../support/servers/scripted-server';
import type { ScriptedRequest, ScriptedServer } from '../../../support/servers/scripted-server';
import { getEntryPoints } from '../../../recordings/support/node-entry-points';
import type { Exchange, Json } from '../../../recordings/support/exchange';
import { pathOf } from '../../../recordings/support/exchange';
import { failureOf, readable } from '../../../recordings/support/result';
import {
	apiPathOf,
	getIdentityRoutes,
	identityResponse,
} from '../../../recordings/support/server-identities';

/** One node that reads one recorded response. */
export interface Replay {
	/** Unique. */
	name: string;
	exchange: Exchange;
	run: ReturnType<typeof getEntryPoints>[number][1];
}

/** What a replay did, as far as others must not change it. */
export interface Replayed {
	/** Path and body of each request for a generation or a task, on the route that the server has. */
	requests: string[];
	/** Items, hints and chat, or the error. */
	result: unknown;
}

/** Requests that load or list models or look something up. */
const IS_PROBE = /\/(?:models|props|tags|show|ps|version|health|info|load|unload|pull|slots)\b/;

/** Every chat and every task of the recordings. */
export function listReplays(exchanges: readonly Exchange[]): Replay[] {
	return exchanges
		.filter(({ request }) => request.method === 'POST' && !IS_PROBE.test(pathOf(request)))
		.flatMap((exchange) =>
			getEntryPoints(exchange).map(([label, run]) => ({
				name: `${exchange.file}/${exchange.name}: ${label}`,
				exchange,
				run,
			})),
		);
}

/**
 * The servers that recordings came from: those with the same responses to other requests are one server, which has one
 * address here.
 */
export function groupByServer(replays: readonly Replay[]): Array<[Replay, ...Replay[]]> {
	const groups = Map.groupBy(replays, ({ exchange }) =>
		JSON.stringify([exchange.server, apiPathOf(exchange), getIdentityRoutes(exchange)]),
	);
	return [...groups.values()] as Array<[Replay, ...Replay[]]>;
}

/** The same replay, alone and after others. */
interface ReplayPair {
	/** In a fresh process. */
	fresh: Replayed;
	/** After others. */
	later: Replayed;
}

/** What others changed: a line for the first request that differs, and one for the result. */
export function describeDifferences({ name }: Replay, { fresh, later }: ReplayPair): string[] {
	const at = later.requests.findIndex((request, index) => request !== fresh.requests[index]);
	const counts = `${later.requests.length} requests instead of ${fresh.requests.length}`;
	const isSameCount = later.requests.length === fresh.requests.length;
	const difference = at >= 0 ? describeRequests(fresh.requests[at], later.requests[at]!) : counts;
	const [before, after] = [fresh, later].map(({ result }) => JSON.stringify(result));
	return [
		...(at < 0 && isSameCount ? [] : [`${name}: ${counts}: ${difference}`]),
		...(before === after ? [] : [`${name}: ${after} instead of ${before}`]),
	];
}

/** Where two requests differ. */
function describeRequests(fresh = '', later: string): string {
	const at = [...later].findIndex((sign, index) => sign !== fresh[index]);
	const from = Math.max(0, at - 40);
	return `${later.slice(from, at + 80)} instead of ${fresh.slice(from, at + 80)}`;
}

/** A server that gives the recorded response of one exchange after another. */
export class ReplayServer {
	private exchange: Exchange | undefined;
	private requests: ScriptedRequest[] = [];

	private constructor(
		private readonly accepted: ReadonlyMap<string, Buffer>,
		private readonly server: { current?: ScriptedServer } = {},
	) {}

	/** @param replays - Those of one server: what it accepts. */
	static async start(replays: readonly Replay[]): Promise<ReplayServer> {
		const answers = replays
			.filter(({ exchange }) => isAccepted(exchange))
			.map(({ exchange }) => [pathOf(exchange.request), exchange.answer] as const);
		const replayServer = new ReplayServer(new Map(answers));
		replayServer.server.current = await startScripted((request, { req: { socket } }) => {
			socket.end(replayServer.respond(request));
		});
		return replayServer;
	}

	async close(): Promise<void> {
		await this.server.current?.close();
	}

	/** Plays one exchange in an execution of its own. */
	async play({ exchange, run }: Replay): Promise<Replayed> {
		this.exchange = exchange;
		this.requests = [];
		const { url } = this.server.current!;
		const result = await run({ exchange, url }).catch((error: unknown) =>
			failureOf(error, exchange),
		);
		return {
			requests: this.requests.map(({ path, text }) => `${path} ${withoutMadeUp(text)}`),
			result: readable(result) as Json,
		};
	}

	/** A refused body is refused each time; the server accepts another one. */
	private respond(request: ScriptedRequest): Buffer {
		const exchange = this.exchange!;
		const { method, path } = request;
		const recordedPath = pathOf(exchange.request);
		if (method !== 'POST' || path.replace(/\?.*$/, '') !== recordedPath)
			return identityResponse(exchange, request, this.requests.length > 0);
		this.requests.push(request);
		const isChanged = request.text !== this.requests.find((sent) => sent.path === path)?.text;
		const accepted = isAccepted(exchange) ? undefined : this.accepted.get(recordedPath);
		return (isChanged ? accepted : undefined) ?? exchange.answer;
	}
}

function isAccepted({ answer }: Exchange): boolean {
	return /^HTTP\/1\.1 200/.test(answer.toString('latin1', 0, 12));
}

/** Without what is made up for each request: the boundary of a form, and our IDs of calls. */
function withoutMadeUp(text: string): string {
	const boundary = /^--(\S+)\r\n/.exec(text)?.[1];
	const form = boundary === undefined ? text : text.replaceAll(boundary, 'boundary');
	return form.replace(/("(?:tool_call_)?id":")[a-z0-9]{9}"/g, '$1call"');
}
