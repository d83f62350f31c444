/** What a model cannot do is rejected before anything is sent. */
import { createServerError } from '../../errors/create-error';
import { assertWritesText } from '../../servers/assert-writes-text';
import type { ServerProps } from '../../servers/types/server-type';
import { toKnownServer } from '../../servers/known-server';
import { getProfile } from '../../servers/profile';
import { getMedia } from '../content';
import type { TurnContext } from '../turn-context';
import type { ChatMessage } from '../chat-message';
import { toErrorContext } from '../../http/request-errors';

/** Who sends what to whom, as far as capabilities depend on it. */
type Sender = Pick<TurnContext, 'server' | 'serverType' | 'settings' | 'chatRequest'>;

/**
 * Rejects a model that only decides, tools that the chat template would ignore, and images for a model that would invent
 * their content.
 *
 * @throws {ServerError} of type `wrongModelType`, `toolsUnsupported` or `modalityUnsupported`
 */
export async function assertCapabilities(
	{ server, serverType, settings, chatRequest }: Sender,
	messages: readonly ChatMessage[],
	props: ServerProps | undefined,
): Promise<void> {
	const { model } = settings;
	const { tools = [], signal } = chatRequest;
	const context = toErrorContext(server, { url: server.getApiUrl(), model });
	await assertWritesText(server, model, signal);
	if (tools.length > 0 && props?.tools === false)
		throw createServerError('toolsUnsupported', context, {
			about: { modelLack: 'tools', server: toKnownServer(serverType) },
		});
	const hasImage = messages.some(({ content }) =>
		getMedia(content).some(({ type }) => type === 'image'),
	);
	if (!hasImage) return;
	const facts = await getProfile(server).fetchModelFacts(model, signal);
	if (facts?.vision !== false) return;
	throw createServerError('modalityUnsupported', context, {
		about: { modelLack: 'images', server: toKnownServer(serverType) },
	});
}
