/** Whether the key of the credential is the right one, as far as a check can see it. */
import { listOf, kindOfServer } from '../answers';
import { advise, describeProbe, fromFailure, failureFor, type FindingWithStatus } from './finding';
import type { HealthServerKind, Observations, Probe, ProbeFailure } from '../observations';

type Refused = Extract<Probe, { answered: true }> & { failure: ProbeFailure };

/** The finding for a key that a route refuses. */
export function refusedKeyFinding(
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
			advice:
				'The server answers without a key: empty the API Key of the credential, or put a right one into it.',
		});
	// vLLM looks at Authorization only (docs/protocols/llama-server.md 8.4).
	if (authentication === 'xApiKey' && kindOfServer(kind).bearerOnly)
		return fromFailure(failure, observed, {
			advice: `${kindOfServer(kind).label} takes the key as Bearer only: change Authentication in the credential.`,
		});
	return fromFailure(failure, observed);
}

/**
 * Findings about the key. Where a server lists its models without a key, only another route shows whether the key is
 * right. If none does, a finding says that the key was not checked.
 */
export function keyFindings(
	observations: Observations,
	kind: HealthServerKind,
): FindingWithStatus[] {
	const { probes, keySet } = observations;
	const { wantsNoKey } = kindOfServer(kind);
	if (wantsNoKey === true || probes.models === undefined) return [];
	if (listOf(probes.models) === undefined && probes.guarded === undefined) return [];
	// The list is there with the key and refused without it: whatever other routes say, the key is right.
	if (listOf(probes.models) !== undefined && isRefused(probes.keyless)) return [];
	const guarded = guardedProbe(probes, kind);
	const refused = [guarded, ...refusalsOfAllOthers(probes)].find(isRefused);
	if (refused !== undefined) {
		const observed = `${describeProbe(refused)}; ${describeProbe(probes.models!)}`;
		return [refusedKeyFinding(observations, refused.failure, observed, kind)];
	}
	if (
		!keySet ||
		isAccepted(guarded) ||
		probes.keyless === undefined ||
		listOf(probes.keyless) === undefined
	)
		return [];
	return [advise('keyNotChecked', `${describeProbe(probes.keyless)} without a key`)];
}

/** The answer of a route that wants the key where the list does not. */
function guardedProbe(probes: Observations['probes'], kind: HealthServerKind): Probe | undefined {
	return kindOfServer(kind).guardedRoute?.path === '/props' ? probes.props : probes.guarded;
}

/** Whether to ask for the list without the key, too: the comparison shows whether the key matters. */
export function mustAskWithoutKey(probes: Observations['probes'], kind: HealthServerKind): boolean {
	const { wantsNoKey, guardedRoute } = kindOfServer(kind);
	if (isRefused(probes.models) || isRefused(guardedProbe(probes, kind))) return true;
	return wantsNoKey !== true && guardedRoute === undefined && listOf(probes.models) !== undefined;
}

/**
 * The probes of all other routes, if each refuses the key, even routes that the server lacks. With the right key they
 * would answer, or give 404.
 */
function refusalsOfAllOthers({ props, ollamaVersion, version }: Observations['probes']): Probe[] {
	const others = [props, ollamaVersion, version].filter((probe) => probe !== undefined);
	// Gateways answer 403 for every route that they do not know (AWS API Gateway).
	const isKeyRefused = (probe: Probe) =>
		isRefused(probe) && probe.status === 401 && !isOfProxy(probe.failure);
	return others.length > 0 && others.every(isKeyRefused) ? others : [];
}

function isRefused(probe: Probe | undefined): probe is Refused {
	return (
		probe?.answered === true &&
		probe.failure !== undefined &&
		(probe.status === 401 || probe.status === 403)
	);
}

/** Whether the key was accepted; also true where the request itself was wrong. */
function isAccepted(probe: Probe | undefined): boolean {
	return (
		probe?.answered === true && !isRefused(probe) && probe.status !== 404 && probe.status < 500
	);
}

function isOfProxy({ kind }: ProbeFailure): boolean {
	return kind === 'proxyPassword' || kind === 'proxyRefuses';
}
