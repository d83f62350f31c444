/** The chapter of texts that a server refuses alone, and of texts that are too long for their task. */
import { ERROR_TYPES } from '../error-types';
import type { Row } from './row';
import { defineRow } from './row';
import { join } from '../sentences';
import { SERVER_TEXTS } from './server-texts';

export const REFUSED_TEXT_ROWS: readonly Row[] = [
	defineRow({
		types: ['invalidResponse'],
		needs: ['refusedText'],
		// Python and Go write NaN, which is no JSON. What is wrong with a readable response is in its own advice.
		tell: ({ refusedText }) =>
			refusedText.isUnreadable
				? 'The result may contain values that are not numbers: half-precision models fail on some texts and graphics cards. Use another quantization, or run the model on the CPU (num_gpu 0 or -ngl 0).'
				: {},
	}),
	// What is not too long is not to be truncated.
	defineRow({
		types: ERROR_TYPES,
		needs: ['refusedText', 'textNoun'],
		tell: ({ refusedText, textNoun }) =>
			refusedText.isNotTooLong
				? `Change this ${textNoun.toLowerCase()}: it is not too long, since the server accepts longer ones.`
				: undefined,
	}),
	defineRow({
		types: ERROR_TYPES,
		needs: ['refusedText', 'textNoun'],
		tell: ({ refusedText, textNoun }) =>
			refusedText.isShortened
				? `Change this ${textNoun.toLowerCase()}: the server refuses its beginning as well.`
				: undefined,
	}),
	defineRow({
		types: ['promptTooLong'],
		needs: ['textNoun', 'server'],
		tell: ({ textNoun, server }) =>
			join(
				`Split documents into smaller chunks, or set the option Long ${textNoun}s to Truncate.`,
				SERVER_TEXTS[server.type].longerTexts,
			),
	}),
	defineRow({
		types: ERROR_TYPES,
		needs: ['refusedText', 'textNoun'],
		tell: ({ textNoun: noun }) => {
			const name = noun.toLowerCase();
			return `Change or shorten this ${name}. To send only the beginning of ${name}s that are too long, set the option Long ${noun}s to Truncate.`;
		},
	}),
];
