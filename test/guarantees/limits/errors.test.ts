import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { describeError, toOwnerChatText } from '../../../lib/errors/describe-error';
import { parseErrorBody } from '../../../lib/errors/error-body';
import { collectSecrets, getWrittenSecrets } from '../../../lib/errors/secrets';
import { ServerError } from '../../../lib/errors/server-error';
import type { PartialToolCall } from '../../../lib/errors/issues';
import { createServerError } from '../../../lib/errors/create-error';
import { removeEchoes } from '../../../lib/errors/echoes';
import { toTitle } from '../../../lib/errors/message-title';
import { testLimit, textOfCharacters } from '../../support/jest/limits';

const isWhole = (shown: string | undefined) => shown?.includes('…') === false;

testLimit('lib/errors/describe-error.ts#MAX_QUOTED_TEXT', {
	limit: 500,
	of: 'wide characters',
	outcome: (length) =>
		isWhole(
			describeError(
				new ServerError({
					type: 'badRequest',
					inputWords: { title: 'No', suggestion: 'Look.' },
					serverText: textOfCharacters(length),
				}),
			),
		),
	within: true,
	beyond: false,
});
const withCalls = (toolCalls: readonly PartialToolCall[]) =>
	new ServerError({ type: 'busy', inputWords: { title: 'No', suggestion: '.' } }).withPartial({
		toolCalls,
	}).partialToolCalls!;
testLimit('lib/errors/server-error.ts#MAX_PARTIAL_CALLS', {
	limit: 20,
	outcome: (length) =>
		withCalls(Array.from({ length }, () => ({ name: 'a', arguments: '{' }))).length === length,
	within: true,
	beyond: false,
});
testLimit('lib/errors/server-error.ts#MAX_PARTIAL_NAME', {
	limit: 200,
	of: 'wide characters',
	step: 2,
	outcome: (length) =>
		isWhole(withCalls([{ name: textOfCharacters(length / 2), arguments: '' }])[0]!.name),
	within: true,
	beyond: false,
});
testLimit('lib/errors/message-title.ts#MAX_TITLE_LENGTH', {
	limit: 160,
	of: 'wide characters',
	outcome: (length) => isWhole(toTitle(textOfCharacters(length))),
	within: true,
	beyond: false,
});
testLimit('lib/errors/echoes.ts#MIN_ECHO_LENGTH', {
	limit: 23,
	of: 'repeated characters, one less than are removed',
	outcome: (length) => {
		const repeated = '界面文字测试内容一二三四五六七八九十甲乙丙丁戊己庚'.slice(0, length);
		return removeEchoes(`bad: ${repeated}!`, [`${repeated} and more`]).includes(repeated);
	},
	within: true,
	beyond: false,
});
testLimit('lib/errors/error-body.ts#MAX_SCANNED_TEXT', {
	limit: 4_000,
	outcome: (length) => parseErrorBody('界'.repeat(length)).message.length === length,
	within: true,
	beyond: false,
});
testLimit('lib/errors/error-body.ts#MAX_LEVELS', {
	limit: 5,
	of: 'levels of an error',
	outcome: (levels) => {
		let body: object = { message: 'innermost', code: 'the_code' };
		for (let level = 1; level < levels; level++) body = { error: body };
		return parseErrorBody(JSON.stringify(body)).codes.includes('the_code');
	},
	within: true,
	beyond: false,
});
testLimit('lib/errors/classify-error.ts#MAX_UNPARSED_TEXT', {
	limit: 200,
	outcome: (length) => {
		const body = '界'.repeat(length);
		return classifyErrorResponse({ status: 400, body }, {}).serverText === body;
	},
	within: true,
	beyond: false,
});
testLimit('lib/errors/server-error.ts#MAX_SERVER_TEXT', {
	limit: 4_000,
	outcome: (length) => {
		const serverText = '界'.repeat(length);
		return createServerError('badRequest', {}, { serverText }).serverText === serverText;
	},
	within: true,
	beyond: false,
});
testLimit('lib/errors/server-error.ts#MAX_PARTIAL_TEXT', {
	limit: 1_000_000,
	outcome: (length) => {
		const partialText = '界'.repeat(length);
		return createServerError('streamEndedEarly', {}, { partialText }).partialText === partialText;
	},
	within: true,
	beyond: false,
});
testLimit('lib/errors/create-error.ts#MAX_TITLE_LENGTH', {
	limit: 1_000,
	outcome: (length) =>
		isWhole(
			createServerError('badRequest', {}, { inputWords: { title: '界'.repeat(length) } }).message,
		),
	within: true,
	beyond: false,
});
testLimit('lib/errors/create-error.ts#MAX_DETAIL_LENGTH', {
	limit: 4_000,
	outcome: (length) =>
		isWhole(
			createServerError('badRequest', {}, { inputWords: { title: '界'.repeat(length) } }).detail,
		),
	within: true,
	beyond: false,
});
testLimit('lib/errors/secrets.ts#MIN_WORD_LENGTH', {
	limit: 15,
	of: 'letters, one less than are a secret',
	outcome: (length) => collectSecrets({ 'x-token': 'q'.repeat(length) }).length,
	within: 0,
	beyond: 1,
});
testLimit('lib/errors/secrets.ts#MIN_WRITTEN_LENGTH', {
	limit: 19,
	of: 'characters, one less than are masked in what a model wrote',
	outcome: (length) => getWrittenSecrets(['q'.repeat(length)]).length,
	within: 0,
	beyond: 1,
});
testLimit('lib/errors/secrets.ts#MIN_LENGTH', {
	limit: 7,
	of: 'letters and digits, one less than are a secret',
	outcome: (length) => collectSecrets({ 'x-token': `7${'q'.repeat(length - 1)}` }).length,
	within: 0,
	beyond: 1,
});
testLimit('lib/errors/describe-error.ts#MAX_CHAT_QUOTED_TEXT', {
	limit: 100,
	of: 'wide characters',
	outcome: (length) =>
		isWhole(
			toOwnerChatText(
				new ServerError({
					type: 'badRequest',
					inputWords: { title: 'No', suggestion: 'Look.' },
					serverText: textOfCharacters(length),
				}),
			),
		),
	within: true,
	beyond: false,
});
testLimit('lib/errors/describe-error.ts#MAX_CHAT_LENGTH', {
	limit: 40,
	of: 'words',
	outcome: (words) => {
		const serverText = 'said';
		// "No. Server message: "said". Look.": five words, and those of the suggestion.
		const suggestion = `Look${' here'.repeat(words - 5)}.`;
		const error = new ServerError({
			type: 'badRequest',
			inputWords: { title: 'No', suggestion },
			serverText,
		});
		return toOwnerChatText(error).includes(serverText);
	},
	within: true,
	beyond: false,
});
