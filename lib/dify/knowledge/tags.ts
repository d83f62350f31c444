import { nonEmptyText, recordsIn, type JsonRecord } from '../../values';
import { invalidParam } from '../errors/failure';
import type { KnowledgeApi } from './api';

const TAGS = '/datasets/tags';
const MAX_NAME = 50;

/** All tags of the workspace. */
export async function listTags(api: KnowledgeApi): Promise<JsonRecord[]> {
	const answer = await api.read(TAGS);
	return recordsIn(answer);
}

/** The tags of one base. */
export async function tagsOf(api: KnowledgeApi, baseId: string): Promise<JsonRecord[]> {
	return recordsIn((await api.get(`/datasets/${baseId}/tags`)).data);
}

/** @throws {ServerError} of kind `tagDefect` where Dify 1.12 has made the tag, but fails to show it */
export async function createTag(api: KnowledgeApi, name: string): Promise<JsonRecord> {
	checkName(name);
	return await api.write(undefined, 'POST', TAGS, { name });
}

/** @throws {ServerError} of kind `tagDefect` where Dify 1.12 has renamed the tag, but fails to show it */
export async function renameTag(
	api: KnowledgeApi,
	tagId: string,
	name: string,
): Promise<JsonRecord> {
	checkName(name);
	return await api.write(undefined, 'PATCH', TAGS, { tag_id: tagId, name });
}

/** @returns false where there was none */
export async function deleteTag(api: KnowledgeApi, tagId: string): Promise<boolean> {
	return await api.deleteIfPresent(undefined, TAGS, { tag_id: tagId });
}

/** Adds a tag to a base. */
export async function bindTag(api: KnowledgeApi, baseId: string, tagId: string): Promise<void> {
	await api.change(undefined, 'POST', `${TAGS}/binding`, { tag_ids: [tagId], target_id: baseId });
}

/** Removes a tag from a base. Dify 1.12 reads one ID, newer versions a list. */
export async function unbindTag(api: KnowledgeApi, baseId: string, tagId: string): Promise<void> {
	const body = { tag_id: tagId, tag_ids: [tagId], target_id: baseId };
	await api.change(undefined, 'POST', `${TAGS}/unbinding`, body);
}

function checkName(name: string): void {
	if (nonEmptyText(name.trim()) === undefined)
		throw invalidParam('The name of the tag is empty', 'Give a name.');
	if ([...name].length > MAX_NAME)
		throw invalidParam(`The name of the tag has more than ${MAX_NAME} characters`, 'Shorten it.');
}
