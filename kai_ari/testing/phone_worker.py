"""The process behind a SipPhone: pjsua2, told what to do by JSON lines on its standard input.

The first line is the configuration; each further line is a request `{"id", "do", ...}` that is
answered by `{"reply": id}`, with `"error"` when it failed. What happens on the phone goes out as
`{"event": ...}`. Audio leaves by a pipe of its own (see `phone_wire`): a record for every
20 ms tick of the phone's clock. pjsua2 is driven by the main thread alone; only the audio
callbacks run on pjsip's clock thread.
"""

import base64
import json
import os
import queue
import re
import sys
import threading
import time
from collections import deque
from typing import Any

from kai_ari.testing import phone_wire as wire

try:
    import pjsua2 as pj

    from kai_ari.testing.phone_line import Line
    from kai_ari.testing.phone_sip import local_address, received, with_headers
except ImportError as error:
    print(json.dumps({"event": "fatal", "text": f"pjsua2 is not installed ({error})"}), flush=True)
    sys.exit(1)

_PUMP_MS = 10
_GOODBYE_S = 1.0
_KEY_MS = 100
_KEY_GAP_MS = 60  # pjmedia's own: three end packets after a key
_STATES = {
    pj.PJSIP_INV_STATE_EARLY: "ringing",
    pj.PJSIP_INV_STATE_CONFIRMED: "answered",
    pj.PJSIP_INV_STATE_DISCONNECTED: "over",
}


class Output:
    """Events and replies, whole lines, from either thread."""

    def __init__(self) -> None:
        # pjsip prints to standard output: keep that apart from ours.
        self._fd = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, **message: Any) -> None:
        with self._lock:
            os.write(self._fd, json.dumps(message).encode() + b"\n")

    def event(self, name: str, **details: Any) -> None:
        self.send(event=name, at_ns=time.monotonic_ns(), **details)


class Call(pj.Call):  # type: ignore[misc]
    def __init__(self, phone: "Phone", account: Any, number: int, pj_id: int | None = None) -> None:
        if pj_id is None:
            super().__init__(account)
        else:
            super().__init__(account, pj_id)
        self.number = number
        self.over = False
        self._phone = phone
        self.line = Line(number, phone.frames_fd, lambda request: phone.output.send(reply=request))

    def onCallState(self, _: Any) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()
        self.over = info.state == pj.PJSIP_INV_STATE_DISCONNECTED
        if info.state in _STATES:
            self._phone.output.event(
                "call_state",
                call=self.number,
                state=_STATES[info.state],
                code=int(info.lastStatusCode),
                reason=info.lastReason,
            )

    def onCallTsxState(self, change: Any) -> None:  # noqa: N802 - pjsua2's name
        message = received(change.e)
        if message.startswith(("BYE ", "CANCEL ")):
            self._phone.output.event("last_message", call=self.number, text=message)

    def onCallMediaState(self, _: Any) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()  # its vectors die with it
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(media.index)
                self.line.startTransmit(audio)
                audio.startTransmit(self.line)
                codec = self.getStreamInfo(media.index).codecName
                self._phone.output.event("audio", call=self.number, codec=codec)

    def onCallTransferStatus(self, progress: Any) -> None:  # noqa: N802 - pjsua2's name
        code = int(progress.statusCode)
        self._phone.output.event("transfer", call=self.number, code=code)

    def onDtmfDigit(self, digit: Any) -> None:  # noqa: N802 - pjsua2's name
        self._phone.output.event("key", call=self.number, key=digit.digit)


class Account(pj.Account):  # type: ignore[misc]
    def __init__(self, phone: "Phone") -> None:
        super().__init__()
        self._phone = phone
        self.registered = False

    def onRegState(self, state: Any) -> None:  # noqa: N802 - pjsua2's name
        self.registered = state.code == 200 and state.expiration > 0
        self._phone.output.event(
            "registration", code=int(state.code), reason=state.reason, active=self.registered
        )

    def onMwiInfo(self, info: Any) -> None:  # noqa: N802 - pjsua2's name
        """NOTIFY of message-summary (RFC 3842), asked for or not."""
        summary = info.rdata.wholeMsg
        lit = re.search(r"^Messages-Waiting:\s*yes", summary, re.IGNORECASE | re.MULTILINE)
        count = re.search(r"^Voice-Message:\s*(\d+)/", summary, re.IGNORECASE | re.MULTILINE)
        self._phone.output.event("lamp", lit=bool(lit), new=int(count[1]) if count else 0)

    def onInstantMessage(self, message: Any) -> None:  # noqa: N802 - pjsua2's name
        self._phone.output.event("text", sender=message.fromUri, text=message.msgBody)

    def onInstantMessageStatus(self, status: Any) -> None:  # noqa: N802 - pjsua2's name
        self._phone.output.event("text_sent", code=int(status.code))

    def onIncomingCall(self, incoming: Any) -> None:  # noqa: N802 - pjsua2's name
        call = self._phone.new_call(incoming.callId)
        caller, invite = call.getInfo().remoteUri, incoming.rdata.wholeMsg
        self._phone.output.event("incoming", call=call.number, caller=caller, invite=invite)


class Phone:
    def __init__(self, config: dict[str, Any], output: Output) -> None:
        self.output = output
        self.frames_fd: int = config["frames_fd"]
        self._server: str = config["server"]
        self._calls: dict[int, Call] = {}
        # pjsip's clock may still be in a line's callback when its call is over: a line that was
        # let go of at once has crashed the process.
        self._silent: deque[Line] = deque(maxlen=16)
        self._numbers = iter(range(1, 1 << 31))
        self._local = config["address"] or local_address(self._server)
        self._endpoint = pj.Endpoint()
        self._start_endpoint(config)
        self._account = Account(self)
        self._account.create(self._account_config(config))

    def _start_endpoint(self, config: dict[str, Any]) -> None:
        self._endpoint.libCreate()
        settings = pj.EpConfig()
        settings.logConfig.level = 4 if config["log_file"] else 0
        settings.logConfig.consoleLevel = 0
        settings.logConfig.filename = config["log_file"] or ""
        settings.uaConfig.threadCnt = 0
        settings.uaConfig.userAgent = "Kai test phone"
        settings.medConfig.clockRate = wire.RATE
        settings.medConfig.audioFramePtime = wire.FRAME_MS
        settings.medConfig.noVad = True  # a steady stream, as desk phones send
        settings.medConfig.ecTailLen = 0
        if config["holds_back_ms"] is not None:
            settings.medConfig.jbMaxPre = config["holds_back_ms"]
        self._endpoint.libInit(settings)
        self._choose_codecs(config["codecs"])
        transport = pj.TransportConfig()
        transport.boundAddress, transport.port = self._local, config["port"]
        self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNullDev()

    def _choose_codecs(self, wanted: list[str]) -> None:
        available = [codec.codecId for codec in self._endpoint.codecEnum2()]
        for codec in available:
            self._endpoint.codecSetPriority(codec, 0)
        for place, name in enumerate(wanted):
            found = [codec for codec in available if codec.lower().startswith(wire.CODECS[name])]
            if not found:
                raise LookupError(f"pjsua2 was built without the codec {name}")
            self._endpoint.codecSetPriority(found[0], 250 - place)

    def _account_config(self, config: dict[str, Any]) -> Any:
        account = pj.AccountConfig()
        account.idUri = f"sip:{config['user']}@{self._server}"
        account.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", "*", config["user"], 0, config["password"])
        )
        if config["register"]:
            account.regConfig.registrarUri = f"sip:{self._server}"
            account.regConfig.retryIntervalSec = 0  # an error is reported, not retried
        account.mediaConfig.lockCodecEnabled = False  # else an UPDATE follows each answer
        account.mediaConfig.transportConfig.boundAddress = self._local
        return account

    # -- the loop --------------------------------------------------------------

    def run(self, requests: "queue.SimpleQueue[dict[str, Any] | None]") -> None:
        """Until the controller closes the pipe."""
        while True:
            self._endpoint.libHandleEvents(_PUMP_MS)
            self._forget_ended()
            while not requests.empty():
                request = requests.get()
                if request is None:
                    return self._quit()
                self._serve(request)

    def _serve(self, request: dict[str, Any]) -> None:
        number, do = request["id"], request["do"]
        try:
            if do == "dial":
                self.output.send(reply=number, **self._dial(request))
            elif do == "text":
                self._text(request["to"], request["text"])
                self.output.send(reply=number)
            elif do == "unregister":
                self._account.setRegistration(False)
                self.output.send(reply=number)
            else:
                self._act(self._calls[request["call"]], request)
        except KeyError:
            self.output.send(reply=number, error=f"{do}: the call is over")
        except pj.Error as error:
            self.output.send(reply=number, error=f"{do}: {error.reason}")

    def _act(self, call: "Call", request: dict[str, Any]) -> None:
        """Audio and keys are answered when they have gone out, the rest at once."""
        number = request["id"]
        match request["do"]:
            case "say":
                call.line.say(number, base64.b64decode(request["pcm"]))
            case "press":
                self._press(call, number, request["keys"])
            case "mute":
                quiet = pj.CallOpParam(True)
                quiet.opt.flag |= pj.PJSUA_CALL_SET_MEDIA_DIR
                quiet.opt.mediaDir = pj.IntVector([pj.PJMEDIA_DIR_DECODING])
                call.reinvite(quiet)
                self.output.send(reply=number)
            case "hang_up":
                call.hangup(with_headers(request["headers"]))
                self.output.send(reply=number)
            case "respond":
                status = with_headers(request["headers"])
                status.statusCode = request["code"]
                call.answer(status)
                self.output.send(reply=number)
            case "refer_to":
                call.xferReplaces(self._calls[request["other"]], pj.CallOpParam(True))
                self.output.send(reply=number)
            case "refer":
                call.xfer(f"<sip:{request['number']}@{self._server}>", pj.CallOpParam(True))
                self.output.send(reply=number)

    def _dial(self, request: dict[str, Any]) -> dict[str, int]:
        call = self.new_call(None)
        invited_ns = time.monotonic_ns()
        call.makeCall(f"sip:{request['number']}@{self._server}", with_headers(request["headers"]))
        return {"call": call.number, "invited_ns": invited_ns}

    def _text(self, to: str, text: str) -> None:
        """SIP MESSAGE: it goes out by a "buddy", which is not watched otherwise."""
        whom = pj.BuddyConfig()
        whom.uri, whom.subscribe = f"sip:{to}@{self._server}", False
        self._correspondent = pj.Buddy()
        self._correspondent.create(self._account, whom)
        message = pj.SendInstantMessageParam()
        message.content = text
        self._correspondent.sendInstantMessage(message)

    def _press(self, call: Call, request: int, keys: str) -> None:
        """Keys go out instead of audio (RFC 4733): the silence under them tells when."""
        press = pj.CallSendDtmfParam()
        press.digits, press.duration, press.method = keys, _KEY_MS, pj.PJSUA_DTMF_METHOD_RFC2833
        call.sendDtmf(press)
        call.line.say(request, bytes(len(keys) * (_KEY_MS + _KEY_GAP_MS) * wire.BYTES_PER_MS))

    def new_call(self, pj_id: int | None) -> Call:
        call = Call(self, self._account, next(self._numbers), pj_id)
        self._calls[call.number] = call
        return call

    def _forget_ended(self) -> None:
        for call in [call for call in self._calls.values() if call.over]:
            for request in call.line.abandon():
                self.output.send(reply=request, error="the call ended before it was said")
            self._silent.append(call.line)
            del self._calls[call.number]

    def _quit(self) -> None:
        """Say goodbye to the PBX. The process then ends without libDestroy, which takes 1 s."""
        self._endpoint.hangupAllCalls()
        if self._account.registered:
            self._account.setRegistration(False)
        deadline = time.monotonic() + _GOODBYE_S
        while (self._account.registered or self._calls) and time.monotonic() < deadline:
            self._endpoint.libHandleEvents(_PUMP_MS)
            self._forget_ended()


def _read_requests(requests: "queue.SimpleQueue[dict[str, Any] | None]") -> None:
    for line in sys.stdin:
        requests.put(json.loads(line))
    requests.put(None)


def main() -> None:
    output = Output()
    config = json.loads(sys.stdin.readline())
    try:
        phone = Phone(config, output)
    except (pj.Error, LookupError) as error:
        text = error.reason if isinstance(error, pj.Error) else str(error)
        output.event("fatal", text=f"the phone could not start: {text}")
        os._exit(1)
    output.event("ready")
    requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    phone.run(requests)
    os._exit(0)


if __name__ == "__main__":
    main()
