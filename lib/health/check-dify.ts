/** A check of Dify: probes → findings → result (docs/protocols/dify.md 1.1, 1.3, 2.11, 6). */
import type { Endpoint } from '../http/types';
import { asNonEmptyString, asRecords, omitEmpty, omitUndefined } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import { isDifyResponse } from './facts';
import type { CheckOutcome } from './check-result';
import { pluralize } from './check-result';
import type { CheckOptions } from './check-options';
import { investigateProbe } from './investigate-check';
import { runProbe, getJsonObject, getLatency } from './run-probe';
import type { KeyType, DifyFacts } from './dify-findings';
import { getDifyFindings } from './dify-findings';

/** Dify with an app key or a knowledge base key. */
export interface DifyServer extends Endpoint {
	keyType: KeyType;
}

/** Knowledge bases that are searched for waiting documents. */
const MAX_DATASETS = 5;

/**
 * Probes the routes of both types of key: Dify rejects a key of the wrong type with the same message as an unknown one
 * (docs/protocols/dify.md 1.3, A3), and only the route of the other type distinguishes them.
 *
 * @throws a `ServerError` only of type `aborted`
 */
export async function checkDify(server: DifyServer, options: CheckOptions): Promise<CheckOutcome> {
	const facts = await probeDify(server, options);
	const { keyTypeProbe, otherTypeProbe, parameters, runs, documents } = facts;
	const probes = [keyTypeProbe, otherTypeProbe, ...documents, parameters, runs];
	const dify = probes.find((result) => result && isDifyResponse(result));
	const version = dify?.headers['x-version'] || undefined;
	return {
		findings: getDifyFindings(facts),
		server: {
			url: server.url.api,
			type: dify === undefined ? 'unknown' : 'dify',
			...omitUndefined({ version, latencyMs: getLatency(probes) }),
		},
		name: version === undefined ? 'Dify' : `Dify ${version}`,
		...describeOffer(facts),
	};
}

async function probeDify(server: DifyServer, options: CheckOptions): Promise<DifyFacts> {
	const { keyType } = server;
	const isApp = keyType === 'app';
	const probe = async (path: string) => {
		const result = await runProbe(server, server.url.api + path, options);
		const error = result.error && (await investigateProbe(result.error, server, 'dify'));
		return { ...result, error };
	};
	const [app, datasets, parameters, runs] = await Promise.all([
		probe('/info'),
		probe(`/datasets?page=1&limit=${isApp ? 1 : MAX_DATASETS}`),
		isApp ? probe('/parameters') : undefined,
		isApp ? probe('/workflows/logs?page=1&limit=1') : undefined,
	]);
	const ids = isApp ? [] : asRecords(getJsonObject(datasets).data).map(({ id }) => String(id));
	return {
		keyType,
		keyTypeProbe: isApp ? app : datasets,
		otherTypeProbe: isApp ? datasets : app,
		parameters,
		runs,
		documents: await Promise.all(
			ids.map((id) => probe(`/datasets/${encodeURIComponent(id)}/documents?page=1&limit=20`)),
		),
	};
}

function describeOffer({
	keyType,
	keyTypeProbe,
}: DifyFacts): Pick<CheckOutcome, 'offerText' | 'app'> {
	const { total, name, mode } = getJsonObject(keyTypeProbe);
	if (keyType === 'knowledge') {
		return { offerText: pluralize(asFiniteNumber(total) ?? 0, 'knowledge base') };
	}
	const app = omitUndefined({ name: asNonEmptyString(name), mode: asNonEmptyString(mode) });
	return { offerText: `the app "${app.name}" (${app.mode})`, ...omitEmpty({ app }) };
}
