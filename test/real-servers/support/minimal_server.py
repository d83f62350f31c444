"""A model server as people write one in an afternoon, several times over: each first part of the path is another habit.

/v1            key in x-api-key or as Bearer, an own check
/strict/v1     refuses every field that it does not know
"""

import json
import sys
import time

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

KEY = "sk-test"
app = FastAPI()


class Message(BaseModel):
    role: str
    content: str


class Loose(BaseModel):
    model: str
    messages: list[Message]
    stream: bool = False
    max_tokens: int = 16
    temperature: float = 0.7


class Strict(Loose):
    model_config = ConfigDict(extra="forbid")


def answer(content):
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "chatcmpl-xxx",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def event(content, finish=None):
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return "data: " + json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [choice]}) + "\n\n"


def streamed(text):
    def events():
        yield event(text)
        yield event("", "stop")
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def said(request):
    return "You said: " + request.messages[-1].content


def check(x_api_key: str | None = Header(None), authorization: str | None = Header(None)):
    if x_api_key != KEY and authorization != "Bearer " + KEY:
        raise HTTPException(status_code=401, detail="Invalid API Key")


def reply(request):
    return streamed(said(request)) if request.stream else answer(said(request))


@app.get("/ready")
def ready():
    return {}


@app.get("/v1/models", dependencies=[Depends(check)])
def models():
    return {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "local"}]}


@app.post("/v1/chat/completions", dependencies=[Depends(check)])
def chat(request: Loose):
    return reply(request)


@app.post("/strict/v1/chat/completions")
def chat_strict(request: Strict):
    return reply(request)


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
