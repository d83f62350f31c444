/** A text that somebody reads while it is written is not ended for an interactive request; one that nobody reads is sent again. */
import { completeText } from '../../../lib/tasks/complete';
import { createModelServer } from '../../../lib/servers/endpoint';
import { delta, LLAMA_SERVER, openStream, send } from '../../guarantees/support/responses';
import { useServers } from '../../support/servers/scripted-server';
import { createDeferred } from '../../support/waiting/deferred';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useServers();

test.each([
	{ isShown: true, sent: ['batch', 'chat'] },
	{ isShown: false, sent: ['batch', 'chat', 'batch'] },
])('shown: $isShown', async ({ isShown, sent }) => {
	const begun = createDeferred();
	const answerFirst = createDeferred();
	let isFirst = true;
	const server = await start({
		...LLAMA_SERVER,
		'POST /v1/completions': (_request, response) => {
			openStream(response);
			const end = () => {
				if (response.destroyed) return;
				send(response, delta({ content: 'One.' }, 'stop'), '[DONE]');
				response.end();
			};
			if (!isFirst) {
				end();
				return;
			}
			isFirst = false;
			begun.open();
			void answerFirst.wait.then(end);
		},
	});
	const target = createModelServer({ baseUrl: server.url, maxConcurrentRequests: 1 }, NO_EXECUTION);
	const common = { model: 'm', sampling: {}, retries: 0 };
	const shown: string[] = [];
	const show = async (text: string) => void shown.push(text);
	const batch = completeText(
		target,
		{ ...common, priority: 'batch' },
		{ prompt: 'batch', ...(isShown && { onDelta: show }) },
	);
	await begun.wait;
	const chat = completeText(target, { ...common, priority: 'interactive' }, { prompt: 'chat' });
	// Without an end, only a request that gives way lets the other one through.
	if (isShown) answerFirst.open();
	await Promise.all([batch, chat]);
	answerFirst.open();
	expect(server.sent('/v1/completions').map(({ prompt }) => prompt)).toEqual(sent);
	expect(shown.join('')).toBe(isShown ? 'One.' : '');
});
