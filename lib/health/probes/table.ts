/** Runs tables of probes: which requests a check sends, and when. */
import type { ServerAddress } from '../../http/types';
import type { ServerKind } from '../../servers/kinds/kind';
import { serverOf, kindOfServer } from '../answers';
import type { HealthServerKind, Probe, ProbeName } from '../observations';
import type { ProbeContext } from './observe';

export type Probes = Partial<Record<ProbeName, Probe>>;

/** One request of a probe. */
export interface ProbeRequest {
	url: string;
	/** Sent with POST. */
	json?: unknown;
	/** Sent without the key of the credential. */
	withoutKey?: true;
	/** Replaces an answer that is not the last word, for example because the route lies elsewhere. */
	revise?(answer: Probe, context: ProbeContext): Promise<Probe>;
}

/** What is known before a round is sent. */
export interface Known {
	context: ProbeContext;
	url: ServerAddress;
	/** The answers of earlier rounds, and what they tell about the server. */
	probes: Probes;
	kindName: HealthServerKind;
	kind: ServerKind;
}

/** Requests that are sent at once, by the names of their probes. Undefined: not asked. */
export type Round = Partial<Record<ProbeName, (known: Known) => ProbeRequest | undefined>>;

/** Sends the rounds one after another. Each knows the answers of those before it. */
export async function askRounds(
	context: ProbeContext,
	rounds: readonly Round[],
	earlier: Probes = {},
): Promise<Probes> {
	let probes = earlier;
	for (const round of rounds) probes = { ...probes, ...(await askRound(context, round, probes)) };
	return probes;
}

async function askRound(context: ProbeContext, round: Round, probes: Probes): Promise<Probes> {
	const { kind: kindName } = serverOf(probes);
	const { url } = context.connection;
	const known: Known = { context, url, probes, kindName, kind: kindOfServer(kindName) };
	const answers = Object.entries(round).map(async ([name, row]) => {
		const request = row(known);
		return request === undefined ? [] : [[name, await ask(context, request)] as const];
	});
	return Object.fromEntries((await Promise.all(answers)).flat()) as Probes;
}

/** Sends one request of a table. */
export async function ask(context: ProbeContext, request: ProbeRequest): Promise<Probe> {
	const { url, json, withoutKey, revise } = request;
	const answer = await context.ask(url, { json, withoutKey });
	return revise === undefined ? answer : await revise(answer, context);
}
