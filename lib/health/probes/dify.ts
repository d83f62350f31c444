/**
 * What a check asks Dify: the routes of both key types. A key of the wrong type is refused in the same words as an
 * unknown one (docs/protocols/dify.md 1.3, A3), and only the other type's route tells them apart. Every answer names the
 * version in a header, refusals included.
 */
import { resolveDifyBase } from '../../dify/base-url';
import { tryLikelyAddresses } from './likely-addresses';
import type { ProbeContext, ProbeResults } from './observe';
import { askRounds, type Known, type Round } from './table';

const DIFY: Round = {
	difyInfo: (known) => ({ url: `${baseOf(known)}/info` }),
	difyDatasets: (known) => ({ url: `${baseOf(known)}/datasets?page=1&limit=1` }),
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
	return { probes, perModel: {}, alternatives };
}

function baseOf({ url }: Known): string {
	return resolveDifyBase(url.typed);
}
