/** What answers tell about the key of the credential. */
import { kindOfServer, listOf } from './answers';
import type { HealthServerKind, Observations, Probe, ProbeFailure } from './observations';

export type Refused = Extract<Probe, { answered: true }> & { failure: ProbeFailure };

/** The answer of a route that wants the key where the list does not. */
export function guardedProbe(
	probes: Observations['probes'],
	kindName: HealthServerKind,
): Probe | undefined {
	return kindOfServer(kindName).health.guardedRoute?.path === '/props'
		? probes.props
		: probes.guarded;
}

/** Whether to ask for the list without the key, too: the comparison shows whether the key matters. */
export function mustAskWithoutKey(
	probes: Observations['probes'],
	kindName: HealthServerKind,
): boolean {
	if (isRefused(probes.models) || isRefused(guardedProbe(probes, kindName))) return true;
	const { key, health } = kindOfServer(kindName);
	if (key?.isNeverNeeded === true || health.guardedRoute !== undefined) return false;
	return listOf(probes.models) !== undefined;
}

/**
 * The probes of all other routes, if each refuses the key, even routes that the server lacks. With the right key they
 * would answer, or give 404.
 */
export function refusalsOfAllOthers({
	props,
	ollamaVersion,
	version,
}: Observations['probes']): Probe[] {
	const others = [props, ollamaVersion, version].filter((probe) => probe !== undefined);
	// Gateways answer 403 for every route that they do not know (AWS API Gateway).
	const isKeyRefused = (probe: Probe) =>
		isRefused(probe) && probe.status === 401 && !isOfProxy(probe.failure);
	return others.every(isKeyRefused) ? others : [];
}

export function isRefused(probe: Probe | undefined): probe is Refused {
	return (
		probe?.answered === true &&
		probe.failure !== undefined &&
		(probe.status === 401 || probe.status === 403 || probe.failure.kind === 'unauthorized')
	);
}

/** Whether the key was accepted; also true where the request itself was wrong. */
export function isAccepted(probe: Probe | undefined): boolean {
	if (probe?.answered !== true || isRefused(probe)) return false;
	return probe.status !== 404 && probe.status < 500;
}

export function isOfProxy({ kind }: ProbeFailure): boolean {
	return kind === 'proxyPassword' || kind === 'proxyRefuses';
}
