import { parseUser } from '../../../lib/dify/ids';
import { toErrorType } from '../../../lib/dify/error-types';
import { toDifyResponseError } from '../../../lib/dify/response-error';
import { collectOutputFiles } from '../../../lib/dify/output-files';
import { toUnixSeconds } from '../../../lib/dify/knowledge/filters';
import { truncateQuery } from '../../../lib/dify/knowledge/retrieval';
import { getPollInterval } from '../../../lib/dify/run/run-record';
import { testLimit, textOfCharacters } from '../../support/jest/limits';
import { playEvents } from '../../lib/dify/play-events';

testLimit('lib/dify/ids.ts#MAX_USER_LENGTH', {
	limit: 255,
	of: 'wide characters',
	outcome: (length) => {
		try {
			return [...parseUser(textOfCharacters(length))!].length === length;
		} catch {
			return 'too long';
		}
	},
	within: true,
	beyond: 'too long',
});
testLimit('lib/dify/knowledge/retrieval.ts#MAX_QUERY_LENGTH', {
	limit: 250,
	of: 'wide characters',
	outcome: (length) => truncateQuery(textOfCharacters(length)).isTruncated,
	within: false,
	beyond: true,
});
testLimit('lib/dify/output-files.ts#MAX_DEPTH', {
	limit: 20,
	outcome: (depth) => {
		let outputs: object = { dify_model_identity: '__dify__file__', id: 'a', url: 'http://a/b' };
		for (let level = 0; level < depth; level++) outputs = { inner: outputs };
		return collectOutputFiles(outputs).length;
	},
	within: 1,
	beyond: 0,
});
testLimit('lib/dify/knowledge/filters.ts#MIN_MILLISECONDS', {
	limit: 99_999_999_999,
	of: 'seconds',
	outcome: (number) => toUnixSeconds(number, 'Day') === number,
	within: true,
	beyond: false,
});
testLimit('lib/dify/error-types.ts#MAX_PATTERN_INPUT', {
	limit: 8_000,
	outcome: (length): string =>
		toErrorType({ message: 'plugin daemon'.padStart(length, '界 ') }, { status: 400 }),
	within: 'pluginDaemonError',
	beyond: 'invalidParam',
});
const errorOf = (message: string) =>
	toDifyResponseError(
		{
			status: 400,
			headers: {},
			url: 'http://dify/v1/info',
			text: JSON.stringify({ code: 'other', message, status: 400 }),
		} as never,
		{} as never,
	);
testLimit('lib/dify/message-error.ts#MAX_TITLE_LENGTH', {
	limit: 160,
	of: 'wide characters',
	outcome: (length) => errorOf(textOfCharacters(length))!.message.includes('…'),
	within: false,
	beyond: true,
});
testLimit('lib/dify/readable-text.ts#MAX_TEXT_LENGTH', {
	limit: 1_000,
	of: 'wide characters',
	outcome: (length) => errorOf(textOfCharacters(length))!.serverText!.includes('…'),
	within: false,
	beyond: true,
});
const warningsOf = (...messages: string[]) =>
	playEvents(...messages.map((message) => ({ event: 'warning', message }))).result.warnings;
testLimit('lib/dify/run/merge-events.ts#MAX_WARNING_LENGTH', {
	limit: 300,
	of: 'wide characters',
	outcome: (length) => warningsOf(textOfCharacters(length))[0]!.includes('…'),
	within: false,
	beyond: true,
});
testLimit('lib/dify/run/merge-events.ts#MAX_WARNINGS', {
	limit: 20,
	outcome: (count) => {
		const warnings = warningsOf(...Array.from({ length: count }, (_none, at) => `Nr. ${at}`));
		return warnings.filter((warning) => warning.startsWith('Dify warns')).length === count;
	},
	within: true,
	beyond: false,
});

test('the pauses between two looks at a run or a document grow up to a limit', () => {
	const pauses = Array.from({ length: 50 }, (_none, at) => getPollInterval(at));
	expect(pauses).toEqual([...pauses].sort((one, other) => one - other));
	expect(pauses.at(-1)).toBe(pauses.at(-2));
});
