import { stringifyMessages } from '../../../lib/tracing/attributes';
import { testLimit } from '../../support/jest/limits';

testLimit('lib/tracing/attributes.ts#MAX_CHARACTERS', {
	limit: 100_000,
	of: 'wide characters of a conversation',
	outcome: (length) => {
		const text = '界'.repeat(length);
		return stringifyMessages([{ role: 'user', content: text }] as never).includes(text);
	},
	within: true,
	beyond: false,
});
