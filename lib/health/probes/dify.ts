/**
 * What a check asks Dify: the routes of both key types. A key of the wrong type is refused in the same words as an
 * unknown one (docs/protocols/dify.md 1.3, A3), and only the other type's route tells them apart. Every answer names the
 * version in a header, refusals included.
 */
import { resolveDifyBase } from '../../dify/base-url';
import { bodyOf } from '../answers';
import { searchableBases } from '../dify-bases';
import type { ModelProbes } from '../observations';
import { tryLikelyAddresses } from './likely-addresses';
import type { ProbeContext, ProbeResults } from './observe';
import { askRounds, type Known, type Probes, type Round } from './table';

const DIFY: Round = {
	difyInfo: (known) => ({ url: `${baseOf(known)}/info` }),
	// A search needs a base with vectors, which may not be the first one.
	difyDatasets: (known) => {
		const limit = known.context.options.askModels ? 100 : 1;
		return { url: `${baseOf(known)}/datasets?page=1&limit=${limit}` };
	},
	difyParameters: (known) =>
		known.context.target.keyType === 'knowledge'
			? undefined
			: { url: `${baseOf(known)}/parameters` },
};

export async function probeDify(context: ProbeContext): Promise<ProbeResults> {
	const { url } = context.connection;
	const base = resolveDifyBase(url.typed);
	const probes = await askRounds(context, [DIFY]);
	const { difyInfo } = probes;
	const api = `${url.origin}/v1`;
	// Not an answer of Dify's API: a web page, or a wrong path.
	const isElsewhere = difyInfo?.answered === true && difyInfo.json === undefined && api !== base;
	const alternatives = isElsewhere
		? [await context.askElsewhere(api, 'dify')]
		: await tryLikelyAddresses(context, probes, base);
	return { probes, perModel: await searchBases(context, probes), alternatives };
}

/**
 * Searches a base for each embedding model. No other request of the API asks a model without a run. The text differs each
 * time, because Dify keeps the vectors of queries.
 */
async function searchBases(
	context: ProbeContext,
	probes: Probes,
): Promise<Record<string, ModelProbes>> {
	const { options, target, connection } = context;
	if (options.askModels !== true || target.keyType !== 'knowledge') return {};
	const api = resolveDifyBase(connection.url.typed);
	const query = `health check ${new Date().toISOString()}`;
	const searches = searchableBases(bodyOf(probes.difyDatasets)).map(async ({ id, search }) => {
		const json = { query, retrieval_model: search };
		return [id, { search: await context.ask(`${api}/datasets/${id}/retrieve`, { json }) }] as const;
	});
	return Object.fromEntries(await Promise.all(searches));
}

function baseOf({ url }: Known): string {
	return resolveDifyBase(url.typed);
}
