// An SMS centre by jSMPP: the first argument is how it behaves, the second its port. It prints a line for each request.

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jsmpp.SMPPConstant;
import org.jsmpp.bean.BroadcastSm;
import org.jsmpp.bean.CancelBroadcastSm;
import org.jsmpp.bean.CancelSm;
import org.jsmpp.bean.DataSm;
import org.jsmpp.bean.ESMClass;
import org.jsmpp.bean.GeneralDataCoding;
import org.jsmpp.bean.MessageType;
import org.jsmpp.bean.NumberingPlanIndicator;
import org.jsmpp.bean.OptionalParameter;
import org.jsmpp.bean.QueryBroadcastSm;
import org.jsmpp.bean.QuerySm;
import org.jsmpp.bean.RegisteredDelivery;
import org.jsmpp.bean.ReplaceSm;
import org.jsmpp.bean.SubmitMulti;
import org.jsmpp.bean.SubmitSm;
import org.jsmpp.bean.TypeOfNumber;
import org.jsmpp.extra.ProcessRequestException;
import org.jsmpp.session.BroadcastSmResult;
import org.jsmpp.session.DataSmResult;
import org.jsmpp.session.QueryBroadcastSmResult;
import org.jsmpp.session.QuerySmResult;
import org.jsmpp.session.SMPPServerSession;
import org.jsmpp.session.SMPPServerSessionListener;
import org.jsmpp.session.ServerMessageReceiverListener;
import org.jsmpp.session.Session;
import org.jsmpp.session.SubmitMultiResult;
import org.jsmpp.session.SubmitSmResult;
import org.jsmpp.util.MessageId;

public final class Centre implements ServerMessageReceiverListener {
  private static final long SLOW_MS = 400;

  private final String manner;
  private final AtomicInteger number = new AtomicInteger(0xabc0);

  private Centre(String manner) {
    this.manner = manner;
  }

  public static void main(String[] arguments) throws Exception {
    Centre centre = new Centre(arguments[0]);
    try (SMPPServerSessionListener listener = new SMPPServerSessionListener(Integer.parseInt(arguments[1]))) {
      if (centre.manner.equals("silent")) {
        listener.setPduProcessorDegree(1); // the one that never ends keeps the others from being answered
      }
      while (true) {
        SMPPServerSession session = listener.accept();
        session.setMessageReceiverListener(centre);
        new Thread(() -> centre.bind(session)).start();
      }
    }
  }

  private void bind(SMPPServerSession session) {
    try {
      var request = session.waitForBind(TimeUnit.MINUTES.toMillis(1));
      System.out.println("bind");
      if (!manner.equals("dead")) {
        request.accept("jsmpp");
      }
    } catch (Exception gone) {
      session.close();
    }
  }

  @Override
  public SubmitSmResult onAcceptSubmitSm(SubmitSm sms, SMPPServerSession session) throws ProcessRequestException {
    System.out.println("submit_sm " + sms.getDestAddress());
    if (manner.equals("throttling")) {
      throw new ProcessRequestException("throttled", SMPPConstant.STAT_ESME_RTHROTTLED);
    }
    if (manner.equals("full")) {
      throw new ProcessRequestException("full", SMPPConstant.STAT_ESME_RMSGQFUL);
    }
    int identity = number.incrementAndGet();
    try {
      switch (manner) {
        case "silent" -> Thread.sleep(Long.MAX_VALUE);
        case "slow" -> Thread.sleep(SLOW_MS);
        default -> {
          String named = manner.equals("decimal-receipts") ? Integer.toString(identity) : Integer.toHexString(identity);
          new Thread(() -> confirm(sms, session, named)).start();
        }
      }
      return new SubmitSmResult(new MessageId(Integer.toHexString(identity)), new OptionalParameter[0]);
    } catch (Exception cause) {
      throw new ProcessRequestException(cause.toString(), SMPPConstant.STAT_ESME_RSYSERR);
    }
  }

  private void confirm(SubmitSm sms, SMPPServerSession session, String named) {
    String text = "id:" + named + " sub:001 dlvrd:001 submit date:2611280700 done date:2611280701 stat:DELIVRD err:000";
    try {
      session.deliverShortMessage(
          "", TypeOfNumber.INTERNATIONAL, NumberingPlanIndicator.ISDN, sms.getDestAddress(),
          TypeOfNumber.ALPHANUMERIC, NumberingPlanIndicator.UNKNOWN, sms.getSourceAddr(),
          new ESMClass(MessageType.SMSC_DEL_RECEIPT.value()), (byte) 0, (byte) 0, new RegisteredDelivery(0),
          new GeneralDataCoding(), text.getBytes());
      System.out.println("receipt answered");
    } catch (Exception cause) {
      System.out.println("receipt lost: " + cause);
    }
  }

  private static ProcessRequestException refuse() {
    return new ProcessRequestException("not for tests", SMPPConstant.STAT_ESME_RINVCMDID);
  }

  @Override
  public SubmitMultiResult onAcceptSubmitMulti(SubmitMulti sms, SMPPServerSession session)
      throws ProcessRequestException {
    throw refuse();
  }

  @Override
  public QuerySmResult onAcceptQuerySm(QuerySm query, SMPPServerSession session) throws ProcessRequestException {
    throw refuse();
  }

  @Override
  public void onAcceptReplaceSm(ReplaceSm sms, SMPPServerSession session) throws ProcessRequestException {
    throw refuse();
  }

  @Override
  public void onAcceptCancelSm(CancelSm sms, SMPPServerSession session) throws ProcessRequestException {
    throw refuse();
  }

  @Override
  public BroadcastSmResult onAcceptBroadcastSm(BroadcastSm sms, SMPPServerSession session)
      throws ProcessRequestException {
    throw refuse();
  }

  @Override
  public void onAcceptCancelBroadcastSm(CancelBroadcastSm sms, SMPPServerSession session)
      throws ProcessRequestException {
    throw refuse();
  }

  @Override
  public QueryBroadcastSmResult onAcceptQueryBroadcastSm(QueryBroadcastSm query, SMPPServerSession session)
      throws ProcessRequestException {
    throw refuse();
  }

  @Override
  public DataSmResult onAcceptDataSm(DataSm sms, Session session) throws ProcessRequestException {
    throw refuse();
  }
}
