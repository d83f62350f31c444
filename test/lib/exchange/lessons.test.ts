/** How long a form of the history is kept that no word decided: for all executions only if the same bytes failed twice alike. */
import { enforceStrictRoles } from '../../../lib/chat/body/strict-roles';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecords } from '../../../lib/values/records';
import { runExchange, scriptedServer } from './scripted-exchange';
import { transport } from './scripted-transport';
import type { Reply } from './scripted-transport';

jest.mock('../../../lib/http/send-request', () =>
	jest.requireActual<object>('./scripted-transport'),
);

const ACCEPTED: Reply = { type: 'usable' };
const reject = (status = 400): Reply => ({ type: 'rejected', status, message: 'No.' });

const TEXT: JsonRecord = {
	messages: [
		{ role: 'system', content: 'Be brief' },
		{ role: 'user', content: 'Hi' },
		{ role: 'system', content: 'Briefer' },
		{ role: 'user', content: 'Now' },
	],
};
const PICTURE = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }];
const WITH_FILE: JsonRecord = {
	messages: [...asRecords(TEXT.messages), { role: 'user', content: PICTURE }],
};

/** The forms as they are sent: the roles. */
const ORIGINAL = 'system user system user';
const STRICT = 'system user';
const NO_SYSTEM = 'user';

let count = 0;

interface FormRow {
	title: string;
	/** To the requests of the first exchange. */
	replies: readonly Reply[];
	retries?: number;
	body?: JsonRecord;
	/** What the first exchange sends. */
	sent: readonly string[];
	/** What the next exchange of the same execution begins with, and that of another one. */
	next: string;
	other: string;
}

const ROWS: readonly FormRow[] = [
	{
		title: 'one refusal by chance',
		replies: [reject(), ACCEPTED],
		sent: [ORIGINAL, ORIGINAL],
		next: ORIGINAL,
		other: ORIGINAL,
	},
	{
		title: 'the same refusal twice',
		replies: [reject(), reject(), ACCEPTED],
		sent: [ORIGINAL, ORIGINAL, STRICT],
		next: STRICT,
		other: STRICT,
	},
	{
		title: 'the same failure twice',
		replies: [reject(500), reject(500), ACCEPTED],
		sent: [ORIGINAL, ORIGINAL, STRICT],
		next: STRICT,
		other: STRICT,
	},
	{
		title: 'the same refusal twice, and of the strict form, too',
		replies: [reject(), reject(), reject(), ACCEPTED],
		sent: [ORIGINAL, ORIGINAL, STRICT, NO_SYSTEM],
		next: NO_SYSTEM,
		other: NO_SYSTEM,
	},
	{
		title: 'another failure before the refusal',
		replies: [reject(500), reject(), ACCEPTED],
		sent: [ORIGINAL, ORIGINAL, STRICT],
		next: STRICT,
		other: ORIGINAL,
	},
	{
		title: 'a refusal of all forms',
		replies: [reject()],
		sent: [ORIGINAL, ORIGINAL, STRICT, NO_SYSTEM],
		next: ORIGINAL,
		other: ORIGINAL,
	},
	{
		title: 'one refusal with Retries 0',
		replies: [reject(), ACCEPTED],
		retries: 0,
		sent: [ORIGINAL, STRICT],
		next: STRICT,
		other: ORIGINAL,
	},
	{
		title: 'one refusal of a request with a file',
		replies: [reject(), ACCEPTED],
		body: WITH_FILE,
		sent: [ORIGINAL, STRICT],
		next: STRICT,
		other: ORIGINAL,
	},
];

test.each(ROWS)('$title', async ({ replies, retries = 2, body = TEXT, sent, next, other }) => {
	const path = `form-${++count}`;
	const send = async (executionId: string) => {
		await runExchange(scriptedServer(path, 'other', executionId), body, {
			adaptations: { strictForm: [enforceStrictRoles] },
			maxRetries: retries,
		}).catch(asServerErrorOrThrow);
		return transport.sent.map(({ body: { messages } }) =>
			asRecords(messages)
				.map(({ role }) => String(role))
				.join(' ')
				.replace(/user user$/, 'user'),
		);
	};
	transport.reply = () => replies[transport.sent.length - 1] ?? replies.at(-1)!;
	expect(await send('first')).toEqual(sent);
	transport.reply = () => ACCEPTED;
	expect(await send('first')).toEqual([next]);
	expect(await send('other')).toEqual([other]);
});

test('a route that responds in the end is not missing for later requests', async () => {
	const server = scriptedServer('routes');
	const send = async () => {
		await runExchange(server, {}, { routes: ['rerank', 'rootRerank'] });
		return transport.sent.map(({ url }) => new URL(url).pathname.replace('/routes', ''));
	};
	// The model of the second route is loaded at its repetition.
	transport.reply = () => (transport.sent.length < 3 ? reject(404) : ACCEPTED);
	expect(await send()).toEqual(['/v1/rerank', '/rerank', '/rerank']);
	transport.reply = () => ACCEPTED;
	expect(await send()).toEqual(['/rerank']);
});
