import type { Workflow } from './playground';
import { theN8n } from './run-examples';

/** Browser's user agent: n8n treats button clicks by programs as link previews (package isbot). */
const BROWSER =
	'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

interface Buttons {
	text: string;
	buttons: Array<{ text: string; link: string }>;
}

/**
 * Messages for a visitor of n8n's hosted chat who clicks every button (n8n, chat-service.js:
 * messages come by a web socket, those of n8n itself begin with "n8n|").
 */
export async function pressing(
	{ nodes }: Workflow,
	question: string,
	button: string,
): Promise<string[]> {
	const { webhookId } = nodes.find(({ type }) => type.endsWith('.chatTrigger'))!;
	const sessionId = `session-${button}`;
	const body = { action: 'sendMessage', sessionId, chatInput: question };
	const response = await theN8n().webhook(`${webhookId}/chat`, { body });
	const { executionId, resumeToken } = (await response.json()) as Record<
		'executionId' | 'resumeToken',
		string
	>;
	const query = new URLSearchParams({
		sessionId,
		executionId,
		isPublic: 'true',
		token: resumeToken,
	});
	const socket = new WebSocket(`${theN8n().url.replace('http', 'ws')}/chat?${query.toString()}`);
	const read: string[] = [];
	const press = async ({ text, buttons }: Buttons) => {
		read.push(text);
		const { link } = buttons.find((each) => each.text === button)!;
		const answer = await fetch(link.replace('localhost', '127.0.0.1'), {
			headers: { 'user-agent': BROWSER },
		});
		expect(await answer.text()).toContain('<html');
	};
	await new Promise<void>((resolve, reject) => {
		socket.addEventListener('close', () => resolve());
		socket.addEventListener('message', ({ data }) => {
			const text = String(data);
			if (text === 'n8n|heartbeat') socket.send('n8n|heartbeat-ack');
			else if (text.startsWith('{')) press(JSON.parse(text) as Buttons).catch(reject);
			else if (!text.startsWith('n8n|')) read.push(text);
		});
	});
	return read;
}
