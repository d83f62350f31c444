import { type KindName, kindOf } from '../servers/kinds';
import { listModels } from '../servers/model-list';
import type { ModelAtServer } from '../servers/model-key';
import { isModelNamed } from '../servers/model-names';
import { readProps } from '../servers/models';
import type { Connection } from '../http/connection';
import { recordOf } from '../values';
import type { MediaPart } from './types';

type Asked = ModelAtServer & { connection: Connection };

/**
 * Refuses pictures and videos before they are sent to a model that is known not to see them.
 *
 * @throws {ServerError} of kind `modalityUnsupported`
 */
export async function refuseUnseenMedia(
	{ connection, model }: Asked,
	kind: KindName,
	media: readonly MediaPart[],
	signal?: AbortSignal,
): Promise<void> {
	const { refuseUnseenPictures } = kindOf(kind).chat;
	if (media.some(({ type }) => type === 'image'))
		await refuseUnseenPictures?.(connection, model, signal);
	if (!media.some(({ type }) => type === 'video')) return;
	if ((await takesVideo({ connection, model }, kind, signal)) !== false) return;
	throw connection.failure('modalityUnsupported', {
		model,
		message: model === '' ? 'The model takes no video' : `The model "${model}" takes no video`,
		remedy:
			'Choose a model whose server lists video among its inputs, or pass single frames of the video as pictures.',
		facts: { modality: 'video' },
	});
}

/** Undefined where the server does not say: then it refuses a video itself. The list counts before `/props`. */
async function takesVideo(
	{ connection, model }: Asked,
	kind: KindName,
	signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
	const { chat, models: abilities } = kindOf(kind);
	if (chat.videoField === undefined) return false;
	const models = await listModels(connection, signal).catch(() => []);
	const isOnly = abilities.ignoresName === true && models.length === 1;
	const listed = models.find((one) => isOnly || isModelNamed(one, model, abilities.isSameName));
	if (listed?.video !== false) return listed?.video;
	// Older lists of a router name pictures and sound only (docs/protocols/llama-server.md 2.2).
	return readProps(recordOf(await chat.template?.(connection, model))).video ?? false;
}
