import { quoteValue } from '../../../nodes/shared/parameters';
import { testLimit, textOfCharacters } from '../../support/jest/limits';

testLimit('nodes/shared/parameters.ts#MAX_QUOTED_LENGTH', {
	limit: 100,
	of: 'wide characters, with the quotation marks',
	outcome: (length) => quoteValue(textOfCharacters(length - 2)).includes('…'),
	within: false,
	beyond: true,
});
