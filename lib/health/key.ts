/** Whether the key of the credential is the right one, as far as a check can see it. */
import { listOf, traitsOfServer } from './answers';
import { advise, describeProbe, fromFailure, failureFor, type FindingWithStatus } from './finding';
import type { HealthServerKind, Observations, Probe, ProbeFailure } from './observations';

type Refused = Extract<Probe, { answered: true }> & { failure: ProbeFailure };

/** The finding for a key that a route refuses. */
export function unauthorized(
	{ keySet, authentication, probes }: Observations,
	failure: ProbeFailure,
	observed: string,
	kind: HealthServerKind,
): FindingWithStatus {
	// Where a proxy refuses, no key of the server helps.
	if (isOfProxy(failure)) return fromFailure(failure, observed);
	if (!keySet) return fromFailure(failureFor('unauthorized', { keyMissing: true }), observed);
	if (listOf(probes.keyless) !== undefined)
		return fromFailure(failure, observed, {
			advice: 'The server answers without a key: empty the API Key of the credential, or put a right one into it.',
		});
	// vLLM looks at Authorization only (docs/protocols/llama-server.md 8.4).
	if (authentication === 'xApiKey' && traitsOfServer(kind).bearerOnly)
		return fromFailure(failure, observed, {
			advice: `${traitsOfServer(kind).label} takes the key as Bearer only: change Authentication in the credential.`,
		});
	return fromFailure(failure, observed);
}

/**
 * Servers that show their list of models to everybody: there only another route tells whether the key is right. Where
 * none does, the user has to know that nobody looked at it.
 */
export function keyFindings(observations: Observations, kind: HealthServerKind): FindingWithStatus[] {
	const { probes, keySet } = observations;
	const { wantsNoKey } = traitsOfServer(kind);
	if (wantsNoKey === true || probes.models === undefined) return [];
	if (listOf(probes.models) === undefined && probes.guarded === undefined) return [];
	// The list is there with the key and refused without it: whatever other routes say, the key is right.
	if (listOf(probes.models) !== undefined && isRefused(probes.keyless)) return [];
	const guarded = guardedProbe(probes, kind);
	const refused = [guarded, ...whereAllElseRefuses(probes)].find(isRefused);
	if (refused !== undefined) {
		const observed = `${describeProbe(refused)}; ${describeProbe(probes.models!)}`;
		return [unauthorized(observations, refused.failure, observed, kind)];
	}
	if (!keySet || hasBeenLetIn(guarded) || probes.keyless === undefined || listOf(probes.keyless) === undefined)
		return [];
	return [advise('keyNotChecked', `${describeProbe(probes.keyless)} without a key`)];
}

/** The answer of a route that wants the key where the list does not. */
function guardedProbe(probes: Observations['probes'], kind: HealthServerKind): Probe | undefined {
	return traitsOfServer(kind).guardedRoute?.path === '/props' ? probes.props : probes.guarded;
}

/**
 * Whether it must be asked without the key, to learn whether the list shows anything about the key. A key is refused
 * where a request with it is refused and one without it does no better.
 */
export function mustAskWithoutKey(probes: Observations['probes'], kind: HealthServerKind): boolean {
	const { wantsNoKey, guardedRoute } = traitsOfServer(kind);
	if (isRefused(probes.models) || isRefused(guardedProbe(probes, kind))) return true;
	return wantsNoKey !== true && guardedRoute === undefined && listOf(probes.models) !== undefined;
}

/**
 * Every other route refuses, also those that such a server does not have: with the right key they are not found, or
 * answer.
 */
function whereAllElseRefuses({ props, ollamaVersion, version }: Observations['probes']): Probe[] {
	const others = [props, ollamaVersion, version].filter((probe) => probe !== undefined);
	// Gateways answer 403 for every route that they do not know (AWS API Gateway).
	const isKeyRefused = (probe: Probe) => isRefused(probe) && probe.status === 401 && !isOfProxy(probe.failure);
	return others.length > 0 && others.every(isKeyRefused) ? others : [];
}

function isRefused(probe: Probe | undefined): probe is Refused {
	return probe?.answered === true && probe.failure !== undefined && (probe.status === 401 || probe.status === 403);
}

/** Any answer but a refusal, that of a wrong question included. */
function hasBeenLetIn(probe: Probe | undefined): boolean {
	return probe?.answered === true && !isRefused(probe) && probe.status !== 404 && probe.status < 500;
}

function isOfProxy({ kind }: ProbeFailure): boolean {
	return kind === 'proxyPassword' || kind === 'proxyRefuses';
}
