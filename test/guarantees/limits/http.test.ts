import { readText } from '../../../lib/http/response-body';
import { StrayLines } from '../../../lib/http/stray-lines';
import { StreamParser } from '../../../lib/http/stream-parser';
import { TextCount, TooMuchTextError } from '../../../lib/http/body-limits';
import { createServerError } from '../../../lib/errors/create-error';
import { RetryPolicy } from '../../../lib/http/retry-policy';
import {
	closeRawServers,
	completeResponse,
	rawServer,
} from '../../support/servers/raw-http-server';
import { connect, fetchStatus, sendChat, withLimits } from '../../lib/http/client';
import { testLimit, textOfBytes } from '../../support/jest/limits';
import { Readable } from 'node:stream';
import { toUploadFileName } from '../../../lib/http/multipart';

const MAX_EVENT_LENGTH = withLimits().eventLength;

const bytesOf = (text: string) => new TextEncoder().encode(text);

testLimit('lib/http/body-limits.ts#MAX_TEXT_LENGTH', {
	limit: 2_097_152,
	outcome: (length) => {
		const count = new TextCount();
		try {
			count.add(1);
			count.add(length - 1);
			return 'counted';
		} catch (error) {
			return error instanceof TooMuchTextError ? 'too much' : 'other';
		}
	},
	within: 'counted',
	beyond: 'too much',
});
testLimit('lib/http/multipart.ts#MAX_NAME_LENGTH', {
	limit: 200,
	of: 'wide characters',
	// A longer name keeps its ending.
	outcome: (length) => {
		const sent = toUploadFileName('界'.repeat(length - 4) + '.txt');
		return { characters: [...sent].length === length, ending: sent.slice(-4) };
	},
	within: { characters: true, ending: '.txt' },
	beyond: { characters: false, ending: '.txt' },
});

describe.each([
	['ASCII', 'a'],
	['wide characters', '界'],
])('an event of %s', (_of, character) => {
	testLimit('lib/task-limits.ts#TASK_LIMITS.chat.received.eventLength', {
		limit: 2_097_152,
		outcome: (length) => {
			const parser = new StreamParser('events', MAX_EVENT_LENGTH);
			try {
				parser.push(bytesOf('data: '));
				parser.push(bytesOf(character.repeat(length - 'data: '.length)));
				return 'read';
			} catch {
				return 'too large';
			}
		},
		within: 'read',
		beyond: 'too large',
	});
});
testLimit('lib/http/stream-parser.ts#MAX_PAGE_LENGTH', {
	limit: 65_536,
	outcome: (length) => {
		const parser = new StreamParser('events', MAX_EVENT_LENGTH);
		parser.push(bytesOf('<html>'.padEnd(length - 1, '界')));
		parser.push(bytesOf('!'));
		return parser.page!.endsWith('!');
	},
	within: true,
	beyond: false,
});
testLimit('lib/http/stray-lines.ts#MAX_STRAY_LINES', {
	limit: 20,
	outcome: (count) => {
		const lines = new StrayLines();
		for (let at = 1; at <= count; at++) lines.add(`error ${at}`);
		return lines.all.includes(`error ${count}`);
	},
	within: true,
	beyond: false,
});
testLimit('lib/http/stray-lines.ts#MAX_STRAY_LINE_LENGTH', {
	limit: 500,
	outcome: (length) => {
		const lines = new StrayLines();
		lines.add(`${'界'.repeat(length - 1)}!`);
		return lines.text.endsWith('!');
	},
	within: true,
	beyond: false,
});

afterEach(closeRawServers);

testLimit('lib/http/request.ts#MAX_ERROR_BYTES', {
	limit: 524_288,
	of: 'bytes of wide characters',
	// Of a longer error response, only the beginning is read.
	outcome: async (bytes) => {
		const [start, end] = [
			'{"error":{"message":"out of luck","rest":"',
			'","code":"model_not_found"}}',
		];
		const body = `${start}${textOfBytes(bytes - start.length - end.length)}${end}`;
		const server = connect(await rawServer(completeResponse('400 Bad Request', body)));
		const { message, type } = (await sendChat(server)).error!;
		return { message, type };
	},
	within: { message: 'out of luck', type: 'modelNotFound' },
	beyond: { message: 'out of luck', type: 'badRequest' },
});
testLimit('lib/http/send-request.ts#MAX_REDIRECTS', {
	limit: 5,
	outcome: async (count) => {
		const url = await rawServer((path, socket) => {
			const at = Number(path.slice(1));
			const isLast = at === count;
			completeResponse(isLast ? '200 OK' : '302 Found', '', { Location: `/${at + 1}` })(
				path,
				socket,
				'',
			);
		});
		return await fetchStatus(connect(url), `${url}/0`);
	},
	within: 200,
	beyond: 302,
});
testLimit('lib/http/retry-policy.ts#MAX_RETRY_AFTER_MS', {
	limit: 60_000,
	outcome: (retryAfterMs) => {
		const error = createServerError('connectionRefused', {}, { facts: { retryAfterMs } });
		try {
			return new RetryPolicy({ maxRetries: 1 }).takeDelayMsOrThrow(error) === retryAfterMs;
		} catch {
			return 'not retried';
		}
	},
	within: true,
	beyond: 'not retried',
});

describe('a body of bytes, not of characters', () => {
	test.each([99, 100, 101])('%s of 100', async (bytes) => {
		const body = Readable.from([bytesOf(textOfBytes(bytes))]);
		const text = await readText(body, withLimits({ bytes: 100 })).catch(
			(error: Error) => error.name,
		);
		expect(text).toBe(bytes > 100 ? 'BodyTooLargeError' : textOfBytes(bytes));
	});
});
