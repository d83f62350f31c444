import fc from 'fast-check';

import { reachesHiddenLimit } from '../../../../lib/servers/kinds/chat-abilities';
import { examples } from '../../../support/properties';

it('a hidden limit is that of the request, else the default of the server, else none', () => {
	const count = fc.integer({ min: 1, max: 20 });
	const limit = fc.record({ byDefault: count }, { requiredKeys: [] });
	const maxTokens = fc.option(fc.integer({ min: -1, max: 20 }), { nil: undefined });
	fc.assert(
		fc.property(limit, maxTokens, count, (hidden, requested, tokens) => {
			const isSet = requested !== undefined && requested > 0;
			const isReached = isSet ? tokens >= requested : tokens === hidden.byDefault;
			expect(reachesHiddenLimit(hidden, requested, tokens)).toBe(isReached);
			expect(reachesHiddenLimit(undefined, requested, tokens)).toBe(false);
			expect(reachesHiddenLimit(hidden, requested, undefined)).toBe(false);
		}),
		examples(200),
	);
});
