/** Whether the address leads to anything, and if not, why. */
import type { FailureKind } from '../../errors/kinds';
import { isRecord } from '../../values';
import { listOf } from '../answers';
import type { Alternative, Observations, Probe, ProbeFailure } from '../observations';
import {
	advise,
	agoOf,
	AS_WARNING,
	describeProbe,
	failureFor,
	fromFailure,
	type FindingWithStatus,
} from './finding';
import type { Rule, Rules } from './rules';

type Unanswered = Extract<Probe, { answered: false }>;

/** No probe was answered. */
interface Silence {
	/** The one whose failure says most. */
	probe: Unanswered;
	failure: ProbeFailure;
	all: Unanswered[];
}

const whenSilent =
	(
		rule: (silence: Silence, observations: Observations) => FindingWithStatus | undefined | false,
	): Rule =>
	({ observations }) => {
		const silence = silenceIn(observations);
		return silence === undefined ? undefined : rule(silence, observations) || undefined;
	};

/** An older check says nothing about now. */
const RECENT_MS = 30 * 60_000;

export const ADDRESS_RULES: Rules = {
	rejected: ({ observations: { rejected } }) => rejected && fromFailure(rejected, rejected.message),

	endlessAnswer: whenSilent(({ failure, all }) => {
		const endless = all.find((probe) => probe.failure.began === true);
		return (
			failure.kind === 'totalLimit' &&
			endless !== undefined &&
			advise('endlessAnswer', describeProbe(endless))
		);
	}),

	noAnswer: whenSilent(({ failure, probe }) => {
		const port = new URL(probe.url).port || undefined;
		return failure.kind === 'totalLimit' && advise('noAnswer', describeProbe(probe), { port });
	}),

	serverExited: whenSilent(({ failure, probe }, { before }) => {
		if (failure.kind !== 'refused' || before === undefined || before.msAgo >= RECENT_MS)
			return undefined;
		const id = before.status === 'loading' ? 'exitedWhileLoading' : 'serverExited';
		const facts = { ago: agoOf(before), host: new URL(probe.url).hostname };
		return advise(id, describeProbe(probe), facts);
	}),

	noConnection: whenSilent(({ failure, probe }, observations) =>
		fromFailure(failure, ...withAlternative(observations, describeProbe(probe), failure.remedy)),
	),
};

/**
 * Of several failures the first in this list says most: after a crash one request is cut off and the others are
 * refused.
 */
const MOST_TELLING: FailureKind[] = [
	'blockedByPolicy',
	'proxy',
	'dns',
	'refused',
	'connectTimeout',
	'unreachable',
	'tlsMismatch',
	'tlsUntrusted',
	'notHttp',
	'closedBeforeAnswer',
];

function silenceIn(observations: Observations): Silence | undefined {
	const probes = Object.values(observations.probes);
	const all = probes.filter((probe) => !probe.answered);
	const probe = mostTelling(all);
	if (all.length < probes.length || probe === undefined) return undefined;
	const { root = '' } = observations.url ?? {};
	const failure = speaksOtherScheme(observations)
		? failureFor('tlsMismatch', { url: probe.url, root })
		: probe.failure;
	return { probe, failure, all };
}

function mostTelling(probes: readonly Unanswered[]): Unanswered | undefined {
	for (const kind of MOST_TELLING) {
		const probe = probes.find(({ failure }) => failure.kind === kind);
		if (probe !== undefined) return probe;
	}
	return probes[0];
}

/** Whether the server answers at the same address with the other scheme (http, https): then only that is wrong. */
function speaksOtherScheme({ alternatives, url }: Observations): boolean {
	return alternatives.some(
		(other) =>
			other.expects === 'anything' &&
			isReached(other) &&
			other.baseUrl.split(':')[0] !== url?.root.split(':')[0],
	);
}

const SERVICE_THERE: Record<Alternative['expects'], string> = {
	anything: 'the server',
	models: 'the API',
	dify: 'the API of Dify',
};

/** Puts the address that works, where one was found, in front of the advice. */
export function withAlternative(
	{ alternatives }: Observations,
	observed: string,
	advice: string,
): [observed: string, change: Partial<FindingWithStatus>] {
	const works = alternatives.find(isReached);
	if (works === undefined) return [observed, {}];
	const address = `Type ${works.baseUrl} as Base URL: there ${SERVICE_THERE[works.expects]} answers.`;
	// Where the API itself was found, nothing is left to advise.
	const whole = works.expects === 'anything' ? `${address} ${advice}` : address;
	return [`${observed}; ${describeProbe(works.probe)}`, { advice: whole }];
}

/**
 * Whether the expected service answers there. The probe has no key, so a refusal by the API itself counts as an answer.
 */
function isReached({ expects, probe }: Alternative): boolean {
	// The certificate is wrong, but the scheme is right.
	if (!probe.answered) return expects === 'anything' && probe.failure.kind === 'tlsUntrusted';
	const refusal = probe.status === 401 || probe.status === 403 ? probe.json : undefined;
	if (expects === 'models') return listOf(probe) !== undefined || isRecord(refusal);
	if (expects === 'dify') return isRecord(refusal) && typeof refusal.code === 'string';
	return probe.failure?.kind !== 'tlsMismatch';
}

/**
 * The finding for an address that redirects. Probes follow it, so all looks well; but a POST, and so every generation,
 * is repeated only at the same origin, after 307 and 308.
 */
export function movedFinding(probe: Probe | undefined): FindingWithStatus | undefined {
	const url = newPlaceOf(probe);
	if (probe?.answered !== true || url === undefined) return undefined;
	const observed = describeProbe(probe);
	if (probe.status === 401)
		return advise('moved', observed, { url, what: ', and the key is never sent there' });
	const isSameOrigin = new URL(url).origin === new URL(probe.url).origin;
	const isRepeated = (probe.redirects ?? []).every((status) => status === 307 || status === 308);
	return isSameOrigin && isRepeated
		? advise('moved', observed, { url }, AS_WARNING)
		: advise('moved', observed, { url, what: ', which generations do not follow' });
}

/** The Base URL to which a probe was redirected. */
function newPlaceOf(probe: Probe | undefined): string | undefined {
	if (probe?.answered !== true || probe.endedAt === undefined) return undefined;
	const start = bare(probe.url);
	const end = bare(probe.endedAt);
	if (end === start) return undefined;
	const route = start.slice(start.lastIndexOf('/'));
	return end.endsWith(route) ? end.slice(0, -route.length).replace(/\/v1$/, '') : end;
}

/** The URL without a query and a trailing slash. */
function bare(url: string): string {
	return url.replace(/[?#].*$/s, '').replace(/\/$/, '');
}
