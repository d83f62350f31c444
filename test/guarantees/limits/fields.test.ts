import { quoteValue } from '../../../lib/fields/field-errors';
import { testLimit, textOfCharacters } from '../../support/jest/limits';
import { useServers } from '../../support/servers/scripted-server';
import { run } from '../support/node-runner';
import { CHAT, LLAMA_SERVER, text } from '../support/responses';

const start = useServers();

testLimit('lib/fields/field-errors.ts#MAX_QUOTED_LENGTH', {
	limit: 100,
	of: 'wide characters, with the quotation marks',
	outcome: (length) => quoteValue(textOfCharacters(length - 2)).includes('…'),
	within: false,
	beyond: true,
});

/** Runs Local Llama, and says whether a request was sent. */
async function outcomeOf(operation: 'text:chat' | 'text:extract', parameters: object) {
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: text('{"a":"b"}') });
	const message = await run(server.url, operation, {
		parameters: { prompt: 'Hi', text: 'Hi', ...parameters },
	}).then(
		() => 'sent',
		(error: Error) => error.message,
	);
	return { message, requests: server.sent(CHAT).length };
}

/** Memory of `{"a":[1]}`: two containers, a property and its name. */
const MEMORY_OF_ONE = 64 + 64 + 64 + 32;

describe.each([
	['text', (value: string): unknown => value],
	['an object', (value: string): unknown => JSON.parse(value)],
])('Extra Body as %s', (_as, toField) => {
	testLimit('lib/task-limits.ts#MAX_FIELD_VALUES', {
		limit: 1 + (4 * 1024 * 1024 - MEMORY_OF_ONE) / 8,
		of: 'numbers of 8 bytes',
		outcome: async (count) => {
			const extraBody = toField(`{"a":[${'1,'.repeat(count - 1)}1]}`);
			return await outcomeOf('text:chat', { options: { extraBody } });
		},
		within: { message: 'sent', requests: 1 },
		beyond: {
			message:
				'The field "Extra Body" has so many values that they would take more than 4 MB of memory',
			requests: 0,
		},
	});
});

testLimit('lib/task-limits.ts#MAX_TEXT_BYTES', {
	limit: 2 * 1024 * 1024,
	of: 'bytes of a schema',
	// It has another limit without its blanks.
	outcome: async (bytes) => {
		const schema = JSON.stringify({ type: 'object', properties: { a: { type: 'string' } } });
		const jsonSchema = schema + ' '.repeat(bytes - schema.length);
		return await outcomeOf('text:extract', { options: { jsonSchema } });
	},
	within: { message: 'sent', requests: 1 },
	beyond: {
		message: 'The field "JSON Schema" has 2.1 MB of text, more than the maximum of 2 MB',
		requests: 0,
	},
});
