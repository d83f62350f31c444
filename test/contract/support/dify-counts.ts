/** How many recordings of which kind are pinned, and how many are left out, as rows of a table in README.md. */
import { DIFY_SETS, difyExchanges, isStream, type DifyExchange } from './dify-exchanges';
import { leftOutBecause } from './dify-operations';

type Kind = 'streams' | 'records' | 'refusals' | 'others';

function kindOf(exchange: DifyExchange): Kind {
	if (exchange.answer.status >= 400) return 'refusals';
	if (isStream(exchange)) return 'streams';
	return /^\/workflows\/run\/[^/]+$/.test(exchange.path) ? 'records' : 'others';
}

/** One row a set: streams, records, refusals, other answers, left out. */
export function countRows(): string[] {
	return DIFY_SETS.map((set) => {
		const exchanges = difyExchanges(set);
		const pinned = exchanges.filter((exchange) => leftOutBecause(exchange) === undefined);
		const count = (kind: Kind) => pinned.filter((exchange) => kindOf(exchange) === kind).length;
		const kinds = (['streams', 'records', 'refusals', 'others'] as const).map(count);
		const leftOut = exchanges.length - pinned.length;
		return `| \`${set}\` | ${[...kinds, leftOut].join(' | ')} |`;
	});
}

/** One row a reason. */
export function leftOutRows(): string[] {
	const counts = new Map<string, number>();
	for (const exchange of DIFY_SETS.flatMap(difyExchanges)) {
		const reason = leftOutBecause(exchange);
		if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
	}
	const sorted = [...counts].sort(([, one], [, other]) => other - one);
	return sorted.map(([reason, count]) => `| ${reason} | ${count} |`);
}
